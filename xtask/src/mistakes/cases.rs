//! The mistakes.

/// One that people make.
#[derive(Debug)]
pub(super) struct Mistake {
    /// As the programs of tests/mistakes know it.
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    /// What is done, in a sentence or two.
    pub(super) what: &'static str,
    pub(super) world: World,
    /// Whatever is not made by the language's program.
    pub(super) ways: &'static [(&'static str, Way)],
}

/// What the environment leads to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum World {
    /// No credentials.
    Nowhere,
    /// A credential file that is not there.
    NoFile,
    /// An emulator that has ended.
    Ended,
    /// An emulator.
    Emulator,
}

impl World {
    pub(super) const ALL: [Self; 4] = [Self::Nowhere, Self::NoFile, Self::Ended, Self::Emulator];
}

/// How a mistake is made, if not by the language's program.
#[derive(Clone, Copy, Debug)]
pub(super) enum Way {
    /// The compiler finds it in this file or package of the folder `uncompiled`.
    Compiler(&'static str),
    /// The arguments of the `gatepass` program; `{good}` stands for a good token, `{url}` for the emulator's URL.
    Shell(&'static [&'static str]),
    /// It cannot be made, and why.
    Never(&'static str),
}

use Way::{Compiler, Never, Shell};
use World::{Emulator, Ended, NoFile, Nowhere};

/// The receiver's audience.
pub(super) const AUDIENCE: &str = "https://orders.example";
const FETCH: Way = Shell(&["token", "--audience", AUDIENCE]);

pub(super) const MISTAKES: &[Mistake] = &[
    Mistake {
        name: "no_credentials",
        title: "No credentials",
        what: "A token is fetched where there are no credentials: no variable, no login of gcloud's, no metadata server.",
        world: Nowhere,
        ways: &[("shell", FETCH)],
    },
    Mistake {
        name: "wrong_path",
        title: "A wrong path",
        what: "`GOOGLE_APPLICATION_CREDENTIALS` names a file that is not there.",
        world: NoFile,
        ways: &[("shell", FETCH)],
    },
    Mistake {
        name: "wrong_audience",
        title: "A wrong audience",
        what: "The caller has asked for a token for another receiver than the one that it calls.",
        world: Emulator,
        ways: &[("shell", Shell(&["verify", "--audience", AUDIENCE, "{other_audience}"]))],
    },
    Mistake {
        name: "missing_scheme",
        title: "A missing scheme",
        what: "A URL without `https://` is to say which audience to ask for.",
        world: Emulator,
        ways: &[("shell", Shell(&["explain", "--url", "orders.example/items", "{good}"]))],
    },
    Mistake {
        name: "trailing_slash",
        title: "A trailing slash",
        what: "The caller's audience ends in a slash, the receiver's does not.",
        world: Emulator,
        ways: &[("shell", Shell(&["verify", "--audience", AUDIENCE, "{trailing_slash}"]))],
    },
    Mistake {
        name: "access_token",
        title: "An access token for an ID token",
        what: "The caller sends an access token.",
        world: Emulator,
        ways: &[("shell", Shell(&["verify", "--audience", AUDIENCE, "ya29.an-access-token"]))],
    },
    Mistake {
        name: "plain_http",
        title: "http for https",
        what: "A client calls a receiver by `http://`.",
        world: Emulator,
        ways: &[("shell", Shell(&["explain", "--url", "http://orders.example/items", "{good}"]))],
    },
    Mistake {
        name: "emulator_down",
        title: "The emulator is down",
        what: "The environment leads to an emulator that has ended.",
        world: Ended,
        ways: &[("shell", FETCH)],
    },
    Mistake {
        name: "clock_behind",
        title: "A clock that is off by two hours",
        what: "The receiver's clock is two hours behind the issuer's.",
        world: Emulator,
        ways: &[("shell", Shell(&["verify", "--audience", AUDIENCE, "{issued_in_two_hours}"]))],
    },
    Mistake {
        name: "no_audience",
        title: "No audience",
        what: "A verifier is made without an audience.",
        world: Emulator,
        ways: &[("shell", Shell(&["verify", "{good}"]))],
    },
    Mistake {
        name: "keys_url_404",
        title: "A keys URL that answers 404",
        what: "The receiver's keys URL is a wrong one.",
        world: Emulator,
        ways: &[(
            "shell",
            Shell(&["verify", "--audience", AUDIENCE, "--keys-url", "{url}/no/such/keys", "{good}"]),
        )],
    },
    Mistake {
        name: "bearer",
        title: "A token with Bearer in front",
        what: "The value of the header is verified as it is.",
        world: Emulator,
        ways: &[("shell", Shell(&["verify", "--audience", AUDIENCE, "Bearer {good}"]))],
    },
    Mistake {
        name: "newline",
        title: "A token with a line break at its end",
        what: "The token was read from a file or from a command.",
        world: Emulator,
        ways: &[("shell", Shell(&["verify", "--audience", AUDIENCE, "{good}\n"]))],
    },
    Mistake {
        name: "empty",
        title: "An empty token",
        what: "The variable that should hold the token is empty.",
        world: Emulator,
        ways: &[("shell", Shell(&["verify", "--audience", AUDIENCE, ""]))],
    },
    Mistake {
        name: "null",
        title: "Null",
        what: "`None` or `null` is given for the token; in Go a verifier is nil; in a shell the variable is not set.",
        world: Emulator,
        ways: &[("shell", Shell(&["verify", "--audience", AUDIENCE]))],
    },
    Mistake {
        name: "list",
        title: "A list",
        what: "A list is given for the token.",
        world: Emulator,
        ways: &[
            ("go", Compiler("list")),
            ("java", Compiler("ListOfTokens")),
            ("shell", Shell(&["verify", "--audience", AUDIENCE, "{good}", "{good}"])),
        ],
    },
    Mistake {
        name: "typo",
        title: "A typo in an option",
        what: "The audience is given as `audiance`.",
        world: Emulator,
        ways: &[
            ("go", Compiler("typo")),
            ("java", Compiler("Typo")),
            ("shell", Shell(&["verify", "--audiance", AUDIENCE, "{good}"])),
        ],
    },
    Mistake {
        name: "closed_client",
        title: "A closed client",
        what: "A client is closed, and then used.",
        world: Emulator,
        ways: &[
            ("node", Never(CLOSES_NOTHING)),
            ("go", Never(CLOSES_NOTHING)),
            ("java", Never(CLOSES_NOTHING)),
            ("shell", Never("a command has no client")),
        ],
    },
    Mistake {
        name: "no_await",
        title: "An asynchronous call without await",
        what: "What an asynchronous fetch gives is verified as if it were the token.",
        world: Emulator,
        ways: &[
            ("go", Never("has no asynchronous calls")),
            ("java", Compiler("NoAwait")),
            ("shell", Never("has no asynchronous calls")),
        ],
    },
    Mistake {
        name: "wrong_preset",
        title: "A wrong preset",
        what: "A verifier of Identity-Aware Proxy's assertions is given the ID token of a service.",
        world: Emulator,
        ways: &[("shell", Shell(&["verify", "--audience", AUDIENCE, "--preset", "iap", "{good}"]))],
    },
];

const CLOSES_NOTHING: &str = "its clients are not closed";
