//! The GitHub adapter against a server that answers by script: counts, faults, adoption, secrets, webhooks.
//! What a stateful GitHub would say is the stand-in's part; this is for answers that it would never give.

#![expect(clippy::unwrap_used, reason = "the scripted server's own code may panic: that fails the test")]

mod forge {
    mod faults;
    mod long_ids;
    mod proposing;
    mod reading;
    mod secrets;
    mod signatures;
    mod tags;
    mod tokens;
    mod webhooks;
    mod world;
}
