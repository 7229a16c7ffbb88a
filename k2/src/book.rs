//! The Rust examples of the book: compiled and run with the tests of the documentation.
//!
//! Each page with such a block is named here; a rule of the workspace sees to that.

#[doc = include_str!("../../docs/src/coming-from/k2.md")]
struct ComingFromK2;
#[doc = include_str!("../../docs/src/coming-from/pytest-and-robot.md")]
struct ComingFromPytestAndRobot;
#[doc = include_str!("../../docs/src/configuration.md")]
struct Configuration;
#[doc = include_str!("../../docs/src/extension-guide.md")]
struct ExtensionGuide;
#[doc = include_str!("../../docs/src/hooks.md")]
struct Hooks;
#[doc = include_str!("../../docs/src/outcomes.md")]
struct Outcomes;
#[doc = include_str!("../../docs/src/parameters.md")]
struct Parameters;
#[doc = include_str!("../../docs/src/portable-messages.md")]
struct PortableMessages;
#[doc = include_str!("../../docs/src/suts.md")]
struct Suts;
#[doc = include_str!("../../docs/src/what-cases-can-ask-for.md")]
struct WhatCasesCanAskFor;
#[doc = include_str!("../../docs/src/which-cases-run.md")]
struct WhichCasesRun;
