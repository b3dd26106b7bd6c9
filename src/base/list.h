/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Circular doubly linked lists over the kernel's struct list_head. An entry
 * that is on no list points at itself, so membership can be asked.
 */
#ifndef VRT_BASE_LIST_H
#define VRT_BASE_LIST_H

#include "util.h"

#define LIST_HEAD_INIT(name) { &(name), &(name) }

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline bool list_empty(const struct list_head *head)
{
	return head->next == head;
}

static inline void __list_insert(struct list_head *entry, struct list_head *prev,
				 struct list_head *next)
{
	next->prev = entry;
	entry->next = next;
	entry->prev = prev;
	prev->next = entry;
}

/* Insert right after @pos: at the front when @pos is the head. */
static inline void list_add(struct list_head *entry, struct list_head *pos)
{
	__list_insert(entry, pos, pos->next);
}

/* Insert right before @pos: at the back when @pos is the head. */
static inline void list_add_tail(struct list_head *entry, struct list_head *pos)
{
	__list_insert(entry, pos->prev, pos);
}

/* Removes and leaves @entry on no list; harmless when it was on none. */
static inline void list_del_init(struct list_head *entry)
{
	entry->prev->next = entry->next;
	entry->next->prev = entry->prev;
	INIT_LIST_HEAD(entry);
}

static inline void list_move(struct list_head *entry, struct list_head *pos)
{
	list_del_init(entry);
	list_add(entry, pos);
}

static inline void list_move_tail(struct list_head *entry, struct list_head *pos)
{
	list_del_init(entry);
	list_add_tail(entry, pos);
}

#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry(head, type, member) list_entry((head)->next, type, member)
#define list_last_entry(head, type, member) list_entry((head)->prev, type, member)
#define list_first_entry_or_null(head, type, member)                                               \
	(list_empty(head) ? NULL : list_first_entry(head, type, member))
#define list_next_entry(pos, member) list_entry((pos)->member.next, __typeof__(*(pos)), member)
#define list_prev_entry(pos, member) list_entry((pos)->member.prev, __typeof__(*(pos)), member)

#define list_for_each_entry(pos, head, member)                                                     \
	for (pos = list_first_entry(head, __typeof__(*pos), member); &pos->member != (head);       \
	     pos = list_next_entry(pos, member))

/* The body may remove @pos. */
#define list_for_each_entry_safe(pos, n, head, member)                                             \
	for (pos = list_first_entry(head, __typeof__(*pos), member),                               \
	    n = list_next_entry(pos, member);                                                      \
	     &pos->member != (head); pos = n, n = list_next_entry(n, member))

#define list_for_each_entry_safe_reverse(pos, n, head, member)                                     \
	for (pos = list_last_entry(head, __typeof__(*pos), member),                                \
	    n = list_prev_entry(pos, member);                                                      \
	     &pos->member != (head); pos = n, n = list_prev_entry(n, member))

#endif
