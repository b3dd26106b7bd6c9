# SPDX-License-Identifier: GPL-2.0-only
"""What each of the kernel's sched_ext selftests expects, as runs of vrt.

A selftest is a BPF object and a driver that attaches it, makes something happen
and looks at how the scheduler ended and at what it has counted. The first is
taken as it is; the second is restated here: what a run is given, and what must
be true of it wherever it took place.
"""

import dataclasses
import re

BUSY = "stress --fork 2 --yield 2 --sleep 4"  # what else goes on where a driver sleeps
CPUS = 4

# enum scx_exit_kind
UNREG, UNREG_BPF, UNREG_KERN, ERROR = 64, 65, 66, 1024
# enum scx_exit_code, and hotplug_test.h's own
RESTART, HOTPLUG = 1 << 48, 1 << 32
HOTPLUG_EXIT_RSN, HOTPLUG_ONLINING = 1, 2


@dataclasses.dataclass
class Case:
    selftest: str  # whose driver this restates
    end: str  # the kind of end, as docs/json.md has it; "": an orderly one, the values tell
    label: str = ""  # tells several of one selftest apart
    message: str = ""  # what the kernel says at the end; TASK: a name and a number
    prints: tuple = ()  # maps of global variables that `values` is about
    # a condition in words, and whether the variables (name -> number or text) meet it; of a
    # scheduler that was restarted, the first one's, and as "later" those of the others
    values: tuple = ("", lambda v: True)
    object: str = ""  # default: the selftest's name
    settings: str = ""  # what follows the object on the command line
    workload: str = BUSY
    options: tuple = ()  # of vrt run
    time: str = "300ms"
    targets: tuple = ("sim", "vm")
    repeat: int = 1

    @property
    def name(self):
        return " ".join(filter(None, (self.selftest, self.label)))

    def expected(self):
        return ", ".join(filter(None, (self.end, self.values[0])))

    def ends(self, kind):
        return kind == self.end if self.end else kind in ("done", "unreg_bpf", "unreg_kern")

    def says(self, message):
        pattern = re.escape(self.message).replace("TASK", r"\S+\[\d+\]")
        return re.fullmatch(pattern, message) if self.message else True


def exit_info(kind, code=0, text=None):
    """What ops.exit() has recorded (UEI_RECORD)."""
    words = f"code {code:#x}" if code else ""
    return (words, lambda v: (v["uei.kind"], v["uei.exit_code"]) == (kind, code) and
            text in (None, v["uei.msg"]))


def hotplug(kind):
    """How the schedulers end when a CPU goes, and then when it comes back."""
    def check(v):
        gone = v["uei.kind"], v["uei.exit_code"]
        back = v["later"][0]["uei.kind"], v["later"][0]["uei.exit_code"]
        if kind == UNREG_KERN:
            return gone == back == (kind, RESTART | HOTPLUG)
        return (gone == (kind, RESTART | HOTPLUG_EXIT_RSN) and
                back == (kind, RESTART | HOTPLUG_EXIT_RSN | HOTPLUG_ONLINING))

    return (f"kind {kind}, twice a restart", check)


def is_set(name, value):
    return (f"{name} {'set' if value else 'not set'}", lambda v: bool(v[name]) == value)


def counts(partial):
    """init_enable_count.c's comparisons; 5 children use SCHED_EXT, 5 do not."""
    children = 5

    def check(v):
        some = min(v["init_task_cnt"], v["exit_task_cnt"], v["init_fork_cnt"]) >= 2 * children
        if partial:
            enabled = v["enable_cnt"] == v["disable_cnt"] == children
        else:
            enabled = min(v["enable_cnt"], v["disable_cnt"]) >= 2 * children
        return (some and enabled and v["init_transition_cnt"] > v["init_fork_cnt"] and
                # nobody else forks here, so it can be told exactly
                v["init_fork_cnt"] == 2 * children and
                v["init_task_cnt"] == v["exit_task_cnt"] ==
                v["init_fork_cnt"] + v["init_transition_cnt"])

    return ("5 enabled" if partial else "all enabled", check)


def thrown_out(selftest, message, **kwargs):
    return Case(selftest, "error", message=message, **kwargs)


CASES = (
    Case("create_dsq", "done"),
    thrown_out("ddsp_bogus_dsq_fail", "non-existent DSQ 0xcafef00d for TASK",
               prints=(".data",), values=exit_info(ERROR)),
    thrown_out("ddsp_vtimelocal_fail", "cannot use vtime ordering for built-in DSQs",
               prints=(".data",), values=exit_info(ERROR)),
    Case("dsp_local_on", "done", prints=(".data",), values=exit_info(UNREG)),
    thrown_out("enq_last_no_enq_fails", "SCX_OPS_ENQ_LAST requires ops.enqueue() to be implemented",
               prints=(".bss",), values=("", lambda v: v["exit_kind"] == ERROR)),
    thrown_out("enq_select_cpu_fails",
               "kfunc with mask 0x8 called from an operation only allowing 0x4"),
    *(Case("exit", "unreg_bpf", label=where, settings=f",exit_point={point}", prints=(".data",),
           values=exit_info(UNREG_BPF, point, str(point)))
      for point, where in enumerate(("select_cpu", "enqueue", "dispatch", "enable", "init_task",
                                     "init"))),
    # the restarted scheduler sees the CPU come back
    *(Case("hotplug", "", label=label, prints=(".data",), values=hotplug(kind),
           options=("--ops", table, "--at", "50ms:offline=1", "--at", "150ms:online=1"))
      for label, table, kind in (("callbacks", "hotplug_cb_ops", UNREG_BPF),
                                 ("no callbacks", "hotplug_nocb_ops", UNREG_KERN))),
    Case("hotplug", "", label="attach", prints=(".data",), options=("--ops", "hotplug_nocb_ops"),
         settings=",hotplug_nocb_ops.hotplug_seq=1000000",
         values=exit_info(UNREG_KERN, RESTART | HOTPLUG)),
    Case("init_enable_count", "done", label="global", prints=(".bss",), values=counts(False),
         workload="policies.json"),
    Case("init_enable_count", "done", label="partial", prints=(".bss",), values=counts(True),
         settings=",init_enable_count_ops.flags=SCX_OPS_SWITCH_PARTIAL", workload="policies.json"),
    Case("maximal", "done"),
    Case("maybe_null", "done"),
    Case("maybe_null", "not_loaded", label="fail_dsp", object="maybe_null_fail_dsp",
         message="R1 invalid mem access 'trusted_ptr_or_null_'"),
    Case("maybe_null", "not_loaded", label="fail_yld", object="maybe_null_fail_yld",
         message="R3 pointer arithmetic on trusted_ptr_or_null_ prohibited, null-check it first"),
    Case("minimal", "done"),
    Case("prog_run", "unreg_bpf", prints=(".data",),
         options=("--at", "50ms:run=prog_run_syscall"),
         values=exit_info(UNREG_BPF, 0xdeadbeef, "Exited from PROG_RUN")),
    # two threads do it there; here one, where a run has a machine to itself
    Case("reload_loop", "done", label="by swapping", object="maximal", targets=("sim",),
         options=tuple(word for ms in range(1, 250)
                       for word in ("--at", f"{ms}ms:swap={{object}}"))),
    Case("reload_loop", "done", label="one by one", object="maximal", targets=("vm",),
         time="10ms", repeat=8),
    # its children are called "runner", as the driver's, so that no name begins with what
    # the program looks for; a CPU may well become idle while ops.enqueue() runs
    Case("select_cpu_dfl", "done", prints=(".bss",), values=is_set("saw_local", False),
         workload="children.json", time="1s"),
    Case("select_cpu_dfl_nodispatch", "done", prints=(".bss",), values=is_set("saw_local", True),
         workload="children.json", time="1s"),
    Case("select_cpu_dispatch", "done", workload="children.json", time="1s"),
    thrown_out("select_cpu_dispatch_bad_dsq", "non-existent DSQ 0xcafef00d for TASK",
               prints=(".data",), values=exit_info(ERROR)),
    thrown_out("select_cpu_dispatch_dbl_dsp", "TASK already direct-dispatched",
               prints=(".data",), values=exit_info(ERROR)),
    Case("select_cpu_vtime", "done", prints=(".bss",), values=is_set("consumed", True)),
)


def variables(text):
    """Of a map as --print shows it: 'n = 1' and 'uei = {.kind = 65, .msg = "3"}'."""
    found = {}
    for line in text.splitlines():
        name, _, value = line.partition(" = ")
        if value.startswith("{"):
            for field, number, string in re.findall(r'\.(\w+) = (?:(-?\d+)|"([^"]*)")', value):
                found[f"{name}.{field}"] = int(number) if number else string
        else:
            found[name] = {"true": 1, "false": 0}.get(value) if value in ("true", "false") \
                else int(value)
    return found
