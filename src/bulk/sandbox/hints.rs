//! Whether a failure may be the sandbox's: programs tell of what they may not do in words that never mention one.

use super::Grants;

/// What people are told then.
const HINT: &str =
    "It ran in a sandbox, which may be why: `allow` of the Activity grants more (docs/plug-ins.md, \"The sandbox\")";
/// As files tell that they may not be read or written, and git that its settings cannot be.
const FILES: [&str; 4] =
    ["permission denied", "operation not permitted", "read-only file system", "please tell me who you are"];
/// As hosts tell that they are not reached.
const NETWORK: [&str; 6] = [
    "could not resolve",
    "couldn't connect",
    "could not connect",
    "failed to connect",
    "network is unreachable",
    "name resolution",
];

/// What a program said of its failure, with a sentence about the sandbox where it sounds as if something was missing that is not
/// granted.
pub(in crate::bulk) fn explained(said: String, grants: &Grants) -> String {
    match about(&said, grants) {
        Some(hint) => format!("{}. {hint}", said.trim_end_matches('.')),
        None => said,
    }
}

fn about(said: &str, grants: &Grants) -> Option<&'static str> {
    let said = said.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| said.contains(phrase));
    let of_network = !grants.network && says(&NETWORK);
    (!grants.everything && (of_network || says(&FILES))).then_some(HINT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_that_may_be_the_sandboxs_are_told_from_others() {
        let (none, network) = (Grants::default(), Grants { network: true, ..Grants::default() });
        let everything = Grants { everything: true, ..Grants::default() };
        for said in [
            "python: /home/dana/.pyenv/bin/python: Permission denied",
            "mkdir: cannot create directory '/x': Read-only file system",
            "PermissionError: [Errno 1] Operation not permitted",
            "Author identity unknown\n\n*** Please tell me who you are.",
        ] {
            assert!(about(said, &none).is_some() && about(said, &network).is_some(), "{said}");
            assert_eq!(about(said, &everything), None, "{said}");
        }
        for said in [
            "curl: (6) Could not resolve host: example.com",
            "curl: (7) Failed to connect to example.com port 443: Could not connect to server",
            "socket.gaierror: [Errno -3] Temporary failure in name resolution",
            "OSError: [Errno 101] Network is unreachable",
        ] {
            assert!(about(said, &none).is_some(), "{said}");
            assert_eq!(about(said, &network), None, "nothing is missing: {said}");
        }
        for said in ["", "error: 3 tests failed", "no such file or directory"] {
            assert_eq!(about(said, &none), None, "{said}");
        }
    }
}
