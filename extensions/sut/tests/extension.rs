//! The extension on a real bus, with addons that are closures.
#![expect(clippy::unwrap_used, reason = "what cannot be set up fails the test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use k2::sut::{
    DESCRIBE_SUT, GET_SUTS, Missing, SUT, SUT_ADD_CAN, SUT_IDS, SUT_IP, SUT_RECOVERY_COMPLETED,
    SUT_RECOVERY_PERFORM, SUT_RECOVERY_STARTED, SUT_RESET_DONE_TIMEOUT, SUT_SHARED, SUTS_MISSING,
    SUTS_SPREAD, SutOffer, SutPart, TESTS_SUTS,
};
use k2_sut::SutExtension;
use zaf_core::message::DispatcherKind;
use zaf_core::prelude::*;
use zaf_harness::prelude::*;

const LIMIT: Duration = Duration::from_mins(1);

fn names() -> Vec<Entity> {
    vec![Entity::new("box"), Entity::new("phone")]
}

/// What the extension offers to cases; the only answer.
fn offer(harness: &ExtensionTestHarness<SutExtension>) -> Result<SutOffer> {
    let replies = harness.send_request(GET_SUTS, SUT, ()).unwrap();
    let mut replies = replies.all(LIMIT);
    assert_eq!(replies.len(), 1);
    Ok(replies.remove(0).result?)
}

/// An addon that says this about a SUT.
fn addon(
    harness: &ExtensionTestHarness<SutExtension>,
    name: &str,
    about: &'static str,
    part: fn() -> Result<SutPart>,
) {
    let made = harness.bus().dispatcher(DispatcherKind::Callback, name);
    made.on(DESCRIBE_SUT, move |_, _| part())
        .endpoints([SUT])
        .entities([Entity::new(about)])
        .register()
        .unwrap();
}

#[test]
fn options_and_addons_describe_a_sut_together() {
    let harness = ExtensionTestHarness::<SutExtension>::builder()
        .config(SUT_IDS, names())
        .config_for(SUT_IP, "box", "10.0.0.2".to_owned())
        .config_for(SUT_ADD_CAN, "box", vec!["arm".to_owned()])
        .config_for(SUT_SHARED, "box", true)
        .config_for(SUT_RESET_DONE_TIMEOUT, "phone", Duration::from_secs(7))
        .config(SUTS_MISSING, "error".to_owned())
        .config(SUTS_SPREAD, true)
        .config(TESTS_SUTS, vec!["net::*=telnet".to_owned()])
        .start()
        .unwrap();
    addon(&harness, "telnet", "phone", || {
        Ok(SutPart::new()
            .can("telnet")
            .attribute("telnet.port", 23)
            .with(23_u16))
    });
    let offer = offer(&harness).unwrap();
    assert_eq!(
        (offer.missing, offer.spread, offer.rules.len()),
        (Missing::Error, true, 1)
    );
    let (box_sut, phone) = (
        offer.suts.get("box").unwrap(),
        offer.suts.get("phone").unwrap(),
    );
    assert_eq!(box_sut.capabilities().collect::<Vec<_>>(), ["arm", "box"]);
    assert_eq!(
        (box_sut.ip.as_deref(), box_sut.shared),
        (Some("10.0.0.2"), true)
    );
    assert_eq!(
        phone.capabilities().collect::<Vec<_>>(),
        ["phone", "telnet"]
    );
    assert_eq!(phone.attribute("telnet.port"), Some("23"));
    assert_eq!(phone.part::<u16>(), Some(&23));
    assert_eq!(phone.reset_done_timeout, Duration::from_secs(7));
    assert!(!phone.shared && phone.ip.is_none());
}

#[test]
fn addons_are_asked_once_about_each_sut_however_often_the_suts_are_wanted() {
    let harness = ExtensionTestHarness::<SutExtension>::builder()
        .config(SUT_IDS, names())
        .start()
        .unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let noted = Arc::clone(&asked);
    let addon = harness.bus().dispatcher(DispatcherKind::Callback, "telnet");
    addon
        .on(DESCRIBE_SUT, move |_, _| {
            noted.fetch_add(1, Ordering::Relaxed);
            Ok(SutPart::new())
        })
        .endpoints([SUT])
        .entities(names())
        .register()
        .unwrap();
    let [one, other] = [(); 2].map(|()| offer(&harness).unwrap());
    let of = |offer: &SutOffer| Arc::clone(offer.suts.get("box").unwrap());
    assert!(Arc::ptr_eq(&of(&one), &of(&other)));
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn without_a_name_there_is_no_sut() {
    let harness = ExtensionTestHarness::<SutExtension>::builder()
        .start()
        .unwrap();
    let offer = offer(&harness).unwrap();
    assert!(offer.suts.is_empty());
    assert_eq!(offer.missing, Missing::Skip);
}

#[test]
fn an_addon_that_fails_and_two_that_contradict_each_other_are_named() {
    let start = || {
        let builder = ExtensionTestHarness::<SutExtension>::builder();
        builder.config(SUT_IDS, names()).start().unwrap()
    };
    let said = |harness: &_| {
        let error = offer(harness).unwrap_err();
        let causes: Vec<_> = error.chain().map(ToString::to_string).collect();
        causes.join(": ")
    };
    let harness = start();
    addon(&harness, "telnet", "box", || Err(Error::msg("no route")));
    let text = said(&harness);
    assert!(
        text.contains("`telnet` cannot describe SUT `box`") && text.contains("no route"),
        "{text}"
    );

    let harness = start();
    addon(&harness, "telnet", "box", || {
        Ok(SutPart::new().attribute("port", 23))
    });
    addon(&harness, "ssh", "box", || {
        Ok(SutPart::new().attribute("port", 22))
    });
    let text = said(&harness);
    assert!(
        text.contains("`telnet`") && text.contains("`ssh`") && text.contains("`port`"),
        "{text}"
    );
}

#[test]
fn every_rule_that_is_wrong_is_wrong_use() {
    for (rule, expected) in [
        ("telnet", "expected PATTERN=WORD,WORD or PATTERN=each:WORD"),
        ("{a=b", "`{a` is none"),
        ("a=eahc:b", "expected `a=each:b`"),
    ] {
        let started = ExtensionTestHarness::<SutExtension>::builder()
            .config(TESTS_SUTS, ["any=", rule].map(str::to_owned).to_vec())
            .start();
        let error = started.err().unwrap();
        let causes = error.chain().map(ToString::to_string);
        let text = causes.collect::<Vec<_>>().join(": ");
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn a_recovery_is_asked_for_and_told_about_one_sut() {
    let harness = ExtensionTestHarness::<SutExtension>::builder()
        .config(SUT_IDS, names())
        .start()
        .unwrap();
    let told = harness.record([SUT_RECOVERY_STARTED]).unwrap();
    let over = harness.record([SUT_RECOVERY_COMPLETED]).unwrap();
    let power = harness.bus().dispatcher(DispatcherKind::Callback, "power");
    power
        .on(SUT_RECOVERY_PERFORM, |message, bus| {
            let sut = message.entity().unwrap();
            bus.trigger_event_for(SUT_RECOVERY_STARTED, SUT, sut, ())?;
            bus.trigger_event_for(SUT_RECOVERY_COMPLETED, SUT, sut, ())?;
            Ok(())
        })
        .endpoints([SUT])
        .entities([Entity::new("box")])
        .register()
        .unwrap();
    let ask = |sut: &str| {
        harness
            .bus()
            .send_request_for(SUT_RECOVERY_PERFORM, SUT, &Entity::new(sut), ())
    };
    let answers = ask("box").unwrap().values(LIMIT).unwrap();
    assert_eq!(answers.len(), 1);
    for (messages, id) in [
        (&told, SUT_RECOVERY_STARTED),
        (&over, SUT_RECOVERY_COMPLETED),
    ] {
        messages
            .expect(id)
            .from(SUT)
            .for_entity("box")
            .arrives()
            .unwrap();
        messages.expect_nothing_else().unwrap();
    }
    assert!(ask("phone").is_err(), "nobody can bring that one back");
}
