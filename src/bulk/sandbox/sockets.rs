//! Sockets that reach beyond this machine, refused by a filter of system calls (seccomp).
//!
//! Landlock restricts TCP; of UDP only its newest version knows, and of raw and other sockets none. Without the network's grant
//! a program in the sandbox makes sockets of the Unix family alone, which many need to speak with their own children.

use rustix::io::Errno;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch, apply_filter,
};
use std::collections::BTreeMap;

/// `AF_UNIX`: socket(2).
const UNIX: u64 = 1;
/// `io_uring_setup(2)`, whose rings make sockets without `socket(2)`. Programs do without: most containers refuse it as well.
const IO_URING_SETUP: i64 = 425;
/// What is added to the numbers of the second way to call a kernel of x86-64, with pointers of 32 bits.
const X32: i64 = 0x4000_0000;

/// Keeps this process, and whatever it becomes or starts, from such sockets. On a processor that the filter is not made for,
/// nothing happens.
///
/// Errors: what is missing, for people.
pub(super) fn refuse() -> Result<(), String> {
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else { return Ok(()) };
    let told = |error: &dyn std::fmt::Display| format!("this kernel cannot refuse sockets (seccomp is off): {error}");
    let filter = filter(arch).map_err(|error| told(&error))?;
    apply_filter(&filter).map_err(|error| told(&error))
}

fn filter(arch: TargetArch) -> Result<BpfProgram, BackendError> {
    let socket = if arch == TargetArch::x86_64 { 41 } else { 198 };
    let other_family = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, UNIX)?;
    let mut rules = BTreeMap::from([
        (socket, vec![SeccompRule::new(vec![other_family.clone()])?]),
        // Without a rule it is refused whatever its arguments are.
        (IO_URING_SETUP, Vec::new()),
    ]);
    if arch == TargetArch::x86_64 {
        rules.insert(X32 | socket, vec![SeccompRule::new(vec![other_family])?]);
        rules.insert(X32 | IO_URING_SETUP, Vec::new());
    }
    // As Landlock refuses a connection. Programs for another processor, whose calls have other numbers, are ended.
    let refused = SeccompAction::Errno(Errno::ACCESS.raw_os_error().cast_unsigned());
    SeccompFilter::new(rules, SeccompAction::Allow, refused, arch)?.try_into()
}
