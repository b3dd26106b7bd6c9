// SPDX-License-Identifier: GPL-2.0-only
/* What is found in consoles of kernels that have ended. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "../../src/base/strbuf.h"
#include "../../src/vm/panic.h"

static void check(const char *console, const char *expected)
{
	struct strbuf out = {};

	assert_int_equal(panic_find(console, &out), expected != NULL);
	assert_string_equal(strbuf_str(&out), expected ? expected : "");
	strbuf_free(&out);
}

static void panic_alone(void **state)
{
	check("[    0.1] Linux version 7.0\r\n"
	      "[    5.123456] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0\r\n"
	      "[    5.123460] CPU: 0 UID: 0 PID: 1 Comm: init Not tainted 7.0\r\n"
	      "[    5.123470] Call Trace:\r\n"
	      "[    5.123480]  <TASK>\r\n"
	      "[    5.123490]  dump_stack_lvl+0x5d/0x80\r\n"
	      "[    5.123500]  ? left_on_the_stack+0x14/0x14\r\n"
	      "[    5.123500]  do_exit+0x14/0x14\r\n"
	      "[    5.123510]  </TASK>\r\n"
	      "[    5.123520] Kernel Offset: disabled\r\n"
	      "[    5.123530] ---[ end Kernel panic - not syncing: Attempted to kill init! ]---\r\n",
	      "Attempted to kill init! exitcode=0x0\n"
	      "  backtrace:\n"
	      "    dump_stack_lvl+0x5d/0x80\n"
	      "    do_exit+0x14/0x14\n");
}

static void panic_after_oops(void **state)
{
	check("[    3.1] Call Trace:\n"
	      "[    3.1]  of_a_mere_warning+0x1/0x2\n"
	      "[    3.7] BUG: kernel NULL pointer dereference, address: 0000000000000000\n"
	      "[    3.7] #PF: supervisor write access in kernel mode\n"
	      "[    3.7] Oops: Oops: 0002 [#1] PREEMPT SMP\n"
	      "[    3.7] RIP: 0010:culprit+0x12/0x20\n"
	      "[    3.7] Call Trace:\n"
	      "[    3.7]  <TASK>\n"
	      "[    3.7]  caller+0x9b/0x150\n"
	      "[    3.7]  </TASK>\n"
	      "[    3.8] RIP: 0033:0x7f0000\n"
	      "[    3.8] Kernel panic - not syncing: Fatal exception\n"
	      "[    3.8] Call Trace:\n"
	      "[    3.8]  panic+0x1/0x2\n",
	      "Fatal exception\n"
	      "  BUG: kernel NULL pointer dereference, address: 0000000000000000\n"
	      "  Oops: Oops: 0002 [#1] PREEMPT SMP\n"
	      "  RIP: 0010:culprit+0x12/0x20\n"
	      "  backtrace:\n"
	      "    caller+0x9b/0x150\n");
}

static void cut_off(void **state)
{
	check("[    3.8] Kernel panic - not syncing: ", "\n");
	check("[    3.8] Kernel panic - not syncing: so\n[    3.8] Call Trace:", "so\n");
}

static void no_panic(void **state)
{
	check("", NULL);
	check("[    3.7] BUG: something\n[    3.7] Call Trace:\n[    3.7]  f+0x1/0x2\n", NULL);
	check("hello\n[\n]\n[ 1.0]\n", NULL);
}

static void long_trace(void **state)
{
	struct strbuf console = {}, out = {};
	u32 frames = 0;

	strbuf_puts(&console, "Kernel panic - not syncing: deep\nCall Trace:\n");
	for (u32 i = 0; i < 100; i++)
		strbuf_printf(&console, " frame_%u+0x1/0x2\n", i);
	assert_true(panic_find(strbuf_str(&console), &out));
	for (const char *p = strbuf_str(&out); (p = strstr(p, "frame_")); p++)
		frames++;
	assert_int_equal(frames, 24);
	assert_non_null(strstr(strbuf_str(&out), "    ...\n"));
	strbuf_free(&console);
	strbuf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(panic_alone),
		cmocka_unit_test(panic_after_oops),
		cmocka_unit_test(cut_off),
		cmocka_unit_test(no_panic),
		cmocka_unit_test(long_trace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
