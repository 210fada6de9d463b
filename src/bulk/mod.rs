//! One change over many repositories, from the command line: clone, scan, patch, commit, push, open pull requests.
