/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Hashes whose values are the same on every host: XXH64 for tables and traces,
 * SHA-256 for the identity of files. Feed integers in little-endian order.
 */
#ifndef VRT_BASE_HASH_H
#define VRT_BASE_HASH_H

#include "util.h"

u64 hash64(const void *data, size_t len, u64 seed);

/* The same in pieces: the value depends on the bytes, not on how they were cut. */
struct hash64 {
	u64 __opaque[11];
};
void hash64_init(struct hash64 *h, u64 seed);
void hash64_add(struct hash64 *h, const void *data, size_t len);
/* The same for @nr times 32 bytes, after a multiple of 32: the fast way. */
void hash64_add32(struct hash64 *h, const void *data, size_t nr);
/* The value so far; more may be added afterwards. */
u64 hash64_value(const struct hash64 *h);

#define SHA256_BYTES 32
#define SHA256_HEX_SIZE (2 * SHA256_BYTES + 1)

struct hash_sha256 {
	u64 __opaque[26];
};
void hash_sha256_init(struct hash_sha256 *h);
void hash_sha256_add(struct hash_sha256 *h, const void *data, size_t len);
/* Ends the hash. */
void hash_sha256_final(struct hash_sha256 *h, u8 digest[SHA256_BYTES]);
void hash_sha256_hex(const u8 digest[SHA256_BYTES], char hex[SHA256_HEX_SIZE]);
/* Of a file. 0 or -errno. */
int hash_sha256_file(const char *path, char hex[SHA256_HEX_SIZE]);

#endif
