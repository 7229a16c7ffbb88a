//! What a reader sees and does.

use camino::Utf8Path;
use k2::case::Verdict;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::sample::{HOSTILE, Sample, case, cases, history, hostile_cases, laboratory, outcomes};

/// The canned run in a browser, if there is one.
fn opened(hash: &str) -> Option<(Browser, Sample)> {
    let sample = Sample::new(cases(), "suite");
    let page = sample.page(None);
    let mut browser = Browser::start()?;
    browser.open(&page, hash);
    Some((browser, sample))
}

fn shown(browser: &mut Browser) -> Vec<String> {
    let ids =
        browser.value("[...document.querySelectorAll('.row:not(.group)')].map(row => row.title)");
    let ids = ids.as_array().unwrap().iter();
    ids.map(|id| id.as_str().unwrap().to_owned()).collect()
}

fn page_text(page: &Utf8Path) -> String {
    std::fs::read_to_string(page).unwrap()
}

#[test]
fn the_page_shows_how_the_run_ended_and_every_case_worst_first() {
    let Some((mut browser, _sample)) = opened("") else {
        return;
    };
    assert_eq!(browser.text(".outcome"), "Failed");
    assert!(
        browser.text(".facts").contains("exit5"),
        "{}",
        browser.text(".facts")
    );
    assert_eq!(browser.text("#shown"), "26 cases");
    let all = shown(&mut browser);
    assert_eq!(all.len(), 26);
    assert_eq!(browser.text(".row .badge"), "failed");
    assert_eq!(browser.text(".row:last-child .badge"), "ignored");
    assert_eq!(
        browser.count("#durations .column"),
        browser.count("#durations rect.front")
    );
    assert!(
        browser
            .value("document.getElementById('timeline').height")
            .as_u64()
            .unwrap()
            > 50
    );
    assert_eq!(browser.text("#flaky .id"), "flaky net::");
    assert_eq!(
        browser.value("document.getElementById('history-card').hidden"),
        json!(true)
    );
    browser.assert_quiet();
}

#[test]
fn the_address_chooses_verdicts_words_groups_and_a_case() {
    let Some((mut browser, sample)) = opened("verdict=failed,timed-out&q=area1") else {
        return;
    };
    let page = sample.path().join("report.html");
    let some = shown(&mut browser);
    assert_eq!(some.len(), 2, "{some:?}");
    assert!(some.iter().all(|id| id.starts_with("area1::")), "{some:?}");
    assert_eq!(browser.count(".chip[aria-pressed=true]"), 2);

    for (query, expected) in [
        ("tag:smoke", 4),
        ("-area", 2),
        ("worker:1", 6),
        ("param:size=4", 1),
        ("%3E30ms", 1),
        ("%22points+failed%22", 1),
        ("connection+refused", 0),
        ("module:net", 1),
    ] {
        browser.open(&page, &format!("q={query}"));
        assert_eq!(shown(&mut browser).len(), expected, "{query}");
    }
    browser.open(&page, "group=module");
    assert_eq!(browser.count(".row.group"), 5);
    browser.open(&page, "group=verdict&sort=duration");
    assert_eq!(browser.count(".row.group"), 9);
    browser.open(&page, "group=nonsense&sort=x&verdict=y&case=nobody");
    assert_eq!(shown(&mut browser).len(), 26);
    browser.open(&page, "case=suite%3A%3Adoor%5Bsize%3D4%5D");
    let detail = browser.text("#detail");
    for expected in [
        "suite::door[size=4]",
        "1 of 2 points failed",
        "got: 1",
        "exit status 3",
        "closes",
        "too late",
        "sleep 300 (pid 4711)",
        "suite/door.rs:12",
        "begin",
        "1024.0 KiB left out",
        "zk2 run suite --tests-include 'suite::door[size=4]'",
    ] {
        assert!(detail.contains(expected), "{expected}: {detail}");
    }
    let link = browser.value("document.querySelector('#detail a').getAttribute('href')");
    assert_eq!(
        link, "./outputs/31.stdout",
        "beside the page, wherever it is"
    );
    browser.assert_quiet();
}

#[test]
fn a_click_on_a_count_filters_and_a_second_one_shows_all() {
    let Some((mut browser, _sample)) = opened("") else {
        return;
    };
    browser.value("document.querySelector('.chip[data-verdict=error]').click()");
    assert_eq!(shown(&mut browser).len(), 3);
    assert_eq!(browser.value("location.hash"), "#verdict=error");
    browser.value("document.querySelector('.chip[data-verdict=error]').click()");
    assert_eq!(shown(&mut browser).len(), 26);
    browser.value("document.querySelector('#durations .column[tabindex=\"0\"]').dispatchEvent(new Event('click'))");
    let some = shown(&mut browser).len();
    assert!((1..26).contains(&some), "{some}");
    browser.assert_quiet();
}

#[test]
fn everything_can_be_done_with_keys() {
    let Some((mut browser, _sample)) = opened("") else {
        return;
    };
    for key in ["/", "a", "r", "e", "a", "1"] {
        browser.press(key);
    }
    assert_eq!(shown(&mut browser).len(), 8);
    browser.press("ArrowDown");
    browser.press("Enter");
    let first = shown(&mut browser)[0].clone();
    assert_eq!(browser.text("#detail h2"), first);
    browser.press("Escape");
    assert_eq!(
        browser.value("document.getElementById('detail').hidden"),
        json!(true)
    );
    browser.press("Escape");
    assert_eq!(shown(&mut browser).len(), 26);

    browser.press("Home");
    browser.press("f");
    let failure = browser.text("#detail h2");
    browser.press("f");
    assert_ne!(browser.text("#detail h2"), failure);
    browser.press("F");
    assert_eq!(browser.text("#detail h2"), failure);
    browser.press("Escape");
    browser.press("End");
    assert_eq!(browser.text(".row[aria-selected=true] .badge"), "ignored");

    browser.press("g");
    assert_eq!(
        browser.value("document.getElementById('group').value"),
        "module"
    );
    browser.press("Home");
    browser.press("ArrowLeft");
    assert_eq!(browser.count(".row.group[aria-expanded=false]"), 1);
    browser.press("ArrowRight");
    assert_eq!(browser.count(".row.group[aria-expanded=false]"), 0);

    for theme in ["light", "dark"] {
        browser.press("t");
        assert_eq!(
            browser.value("document.documentElement.dataset.theme"),
            theme
        );
    }
    browser.press("?");
    assert_eq!(
        browser.value("document.getElementById('keys').open"),
        json!(true)
    );
    browser.press("Escape");
    assert_eq!(
        browser.value("document.getElementById('keys').open"),
        json!(false)
    );
    browser.assert_quiet();
}

#[test]
fn everything_that_can_be_operated_has_a_name() {
    let Some((mut browser, _sample)) = opened("case=net%3A%3Aflaky") else {
        return;
    };
    let tree = browser.ask("Accessibility.getFullAXTree", json!({}));
    let nodes = tree["nodes"].as_array().unwrap();
    let of = |node: &Value, key: &str| node[key]["value"].as_str().unwrap_or_default().to_owned();
    let roles = [
        "button",
        "searchbox",
        "combobox",
        "tree",
        "treeitem",
        "link",
        "image",
    ];
    let mut seen = 0;
    for node in nodes
        .iter()
        .filter(|node| roles.contains(&of(node, "role").as_str()))
    {
        assert_ne!(of(node, "name"), "", "{node}");
        seen += 1;
    }
    assert!(seen > 30, "{seen}");
    browser.assert_quiet();
}

#[test]
fn attempts_stand_side_by_side_and_colours_of_output_are_kept() {
    let Some((mut browser, sample)) = opened("case=net%3A%3Aflaky") else {
        return;
    };
    assert_eq!(browser.count(".attempt"), 2);
    assert!(browser.text(".attempt").contains("connection refused"));
    browser.open(&sample.path().join("report.html"), "case=area1%3A%3Acase_7");
    assert_eq!(browser.text("#detail pre .c1"), "red");
    assert_eq!(browser.text("#detail pre"), "one red word\n");
    browser.assert_quiet();
}

#[test]
fn f9_hostile_texts_stay_texts_everywhere() {
    let sample = Sample::new(hostile_cases(), HOSTILE[0]);
    let page = sample.page(None);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    browser.open(&page, "");
    let title = format!("Failed · {}", HOSTILE[0]);
    let expected: Vec<String> = hostile_cases()
        .iter()
        .map(|case| k2::results::printable_line(case.case.as_str()).into_owned())
        .collect();
    assert_eq!(shown(&mut browser), expected);
    assert_eq!(browser.text("title"), title);
    let scripts = browser.count("script");
    for group in ["module", "verdict", "worker", "tag"] {
        browser.open(&page, &format!("group={group}"));
        assert!(browser.count(".row.group") > 0);
    }
    for (n, evil) in HOSTILE.iter().enumerate() {
        browser.open(&page, "");
        browser.value(&format!("document.querySelectorAll('.row')[{n}].click()"));
        let detail = browser.text("#detail");
        assert!(
            detail.matches(&*k2::results::printable_line(evil)).count() >= 4
                || evil.contains('\u{1b}'),
            "{detail}"
        );
        assert_eq!(browser.value("document.title"), title.as_str());
        assert_eq!(browser.count("#detail :is(script, style, img, svg, iframe, object, embed, base, form, [onload], [onerror])"), 0);
        let links = browser.value("[...document.links].map(link => link.getAttribute('href'))");
        for link in links.as_array().unwrap() {
            assert!(link.as_str().unwrap().starts_with("./"), "{link}");
        }
    }
    assert_eq!(browser.count("script"), scripts);
    assert_eq!(
        browser.value("getComputedStyle(document.body).display"),
        "block"
    );
    browser.assert_quiet();
}

#[test]
fn outcomes_checks_and_attachments_are_shown_in_place_and_run_nothing() {
    let sample = Sample::new(outcomes(), "suite");
    sample.attach();
    let page = sample.page(None);
    // What the page holds does not need its files.
    std::fs::remove_dir_all(sample.path().join("outputs")).unwrap();
    let Some(mut browser) = Browser::start() else {
        return;
    };
    for (width, height) in [(1280, 900), (390, 844)] {
        browser.size(width, height);
        browser.open(&page, "");
        let title = browser.value("document.title");
        let counts = browser.text(".counts");
        for count in ["1 failed", "1 expected to fail", "1 unexpected passes"] {
            assert!(counts.contains(count), "{counts}");
        }
        browser.value("document.querySelectorAll('.row')[0].click()");
        let detail = browser.text("#detail");
        for text in [
            "suite/page.rs:12",
            "right: \"Welcome\"",
            "form.fields() == 3",
            "no frame <b>2</b>",
            "core.bin",
            "2 more left out",
        ] {
            assert!(detail.contains(text), "{text}: {detail}");
        }
        assert_eq!(browser.count("#detail img"), 1);
        let drawn = "(() => { const image = document.querySelector('#detail img'); \
                     return image.decode().then(() => image.naturalWidth); })()";
        assert_eq!(browser.value(drawn), json!(640));
        let fits =
            "document.querySelector('#detail img').getBoundingClientRect().right <= innerWidth";
        assert_eq!(browser.value(fits), json!(true));
        assert_eq!(browser.value("document.title"), title);
        browser.open(&page, "verdict=expected-failure");
        assert_eq!(shown(&mut browser), ["net::frames"]);
        browser.value("document.querySelectorAll('.row')[0].click()");
        let link = "document.querySelector('#detail .note a').getAttribute('href')";
        assert_eq!(browser.value(link), json!("https://tracker.example/7"));
        browser.open(&page, "verdict=unexpected-pass");
        assert_eq!(shown(&mut browser), ["fan::starts"]);
    }
    browser.assert_quiet();
}

/// The groups of the list: name, numbers, and how many cases.
fn groups(browser: &mut Browser) -> Vec<String> {
    let groups = browser.value(
        "[...document.querySelectorAll('.row.group')].map(group => \
         ['.id', '.why', '.total'].map(part => group.querySelector(part).textContent).join(' | '))",
    );
    let groups = groups.as_array().unwrap().iter();
    groups
        .map(|group| group.as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_case_says_on_which_suts_it_ran_and_who_looks_after_it() {
    let sample = Sample::new(laboratory(), "suite");
    let page = sample.page(None);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    browser.size(1280, 4000);
    browser.open(&page, "group=sut");
    let by_sut = groups(&mut browser);
    assert!(
        by_sut.contains(&"box | 1 timed out1 flaky1 passed | 3 cases".to_owned()),
        "{by_sut:?}"
    );
    assert!(
        by_sut.contains(&"phone | 1 failed1 timed out | 2 cases".to_owned()),
        "{by_sut:?}"
    );
    assert!(
        by_sut.iter().any(|group| group.starts_with("(no SUT) | ")),
        "{by_sut:?}"
    );
    assert_eq!(by_sut.len(), 4, "none of them is empty: {by_sut:?}");

    browser.open(&page, "group=owner");
    let by_owner = groups(&mut browser);
    for group in [
        "network team | 1 failed1 passed | 2 cases",
        "storage | 1 flaky1 skipped | 2 cases",
    ] {
        assert!(by_owner.contains(&group.to_owned()), "{by_owner:?}");
    }
    assert!(
        by_owner
            .iter()
            .any(|group| group.starts_with("(no owner) | ")),
        "{by_owner:?}"
    );

    for (query, expected) in [
        ("sut:box", 3),
        ("sut:BOX", 3),
        ("sut:bo", 0),
        ("-sut:box+sut:phone", 1),
        ("owner:team", 3),
        ("owner:%22network+team%22", 3),
        ("phone", 2),
    ] {
        browser.open(&page, &format!("q={query}"));
        assert_eq!(shown(&mut browser).len(), expected, "{query}");
    }

    browser.open(&page, "case=net%3A%3Alink");
    let chips = browser.text("#detail .tags");
    assert_eq!(
        chips, "SUT phoneSUT boxowner Network team",
        "the first parameter's first"
    );
    browser.value("document.querySelector('#detail .tag').click()");
    assert_eq!(
        browser.value("document.getElementById('query').value"),
        "sut:phone"
    );
    assert_eq!(shown(&mut browser).len(), 2);
    // Each attempt is of a case, and so are its SUTs.
    browser.open(&page, "case=disk%3A%3Awrites");
    assert_eq!(browser.count("#detail .attempt"), 2);
    assert_eq!(browser.text("#detail .tags"), "SUT boxowner storage");
    browser.open(&page, "case=host%3A%3Aonly");
    assert_eq!(browser.count("#detail .tags"), 0);
    browser.assert_quiet();
}

/// What is wider than its place, or than the window, and cannot be scrolled to.
const OUT_OF_PLACE: &str =
    "[document.documentElement, ...document.querySelectorAll('body *:not(svg *)')]
    .filter(element => element.clientWidth && element.scrollWidth > element.clientWidth + 1)
    .filter(element => !['auto', 'scroll', 'hidden'].includes(getComputedStyle(element).overflowX))
    .filter(element => getComputedStyle(element).display !== 'inline')
    .map(element => `${element.tagName}.${element.className}#${element.id}`)";

/// Texts with less contrast to what is behind them than the guidelines ask for (level AA), as `text: ratio`. What is half transparent is
/// laid over what is behind it.
const TOO_PALE: &str = r"(() => {
    const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const over = (below, colour) => {
        pen.fillStyle = `rgb(${below})`; pen.fillRect(0, 0, 1, 1);
        pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
        return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => rgb.map(part => part / 255).map(part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, n) => sum + part * [0.2126, 0.7152, 0.0722][n], 0);
    const behind = (element) => {
        const chain = [];
        for (let at = element; at; at = at.parentElement) chain.unshift(getComputedStyle(at).backgroundColor);
        return chain.reduce(over, [255, 255, 255]);
    };
    const pale = [];
    for (const element of document.querySelectorAll('body *')) {
        if (element.closest('svg, script, noscript, dialog:not([open]), [hidden]')) continue;
        if (![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
        const ground = behind(element), style = getComputedStyle(element);
        const [a, b] = [light(over(ground, style.color)), light(ground)].sort((x, y) => y - x);
        const ratio = (a + 0.05) / (b + 0.05);
        if (ratio < 4.5) pale.push(`${element.className} ${element.textContent.slice(0, 30)}: ${ratio.toFixed(2)}`);
    }
    return pale;
})()";

#[test]
fn nothing_is_cut_off_or_too_pale_at_two_widths_in_light_and_dark() {
    let sample = Sample::new(laboratory(), "suite");
    sample.attach();
    let page = sample.page(Some(history()));
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let long = laboratory()
        .iter()
        .find(|case| case.verdict == Verdict::Error)
        .unwrap()
        .case
        .clone();
    let opened = format!(
        "case={}",
        long.as_str().replace(':', "%3A").replace('=', "%3D")
    );
    for (width, height) in [(420, 900), (1280, 900)] {
        browser.size(width, height);
        for theme in ["light", "dark"] {
            for view in [
                "",
                "group=owner",
                "group=verdict",
                "case=page%3A%3Ashows",
                "case=disk%3A%3Awrites",
                &opened,
            ] {
                browser.open(&page, view);
                browser.value(&format!(
                    "document.documentElement.dataset.theme = '{theme}'"
                ));
                browser.settle();
                assert_eq!(browser.value(OUT_OF_PLACE), json!([]), "{width} {view}");
                assert_eq!(browser.value(TOO_PALE), json!([]), "{theme} {width} {view}");
            }
        }
    }
    // What they look for is found where it is.
    browser.value("document.querySelector('h1').style.color = 'color-mix(in srgb, var(--text) 35%, transparent)'");
    browser.value("document.querySelector('.facts').style.cssText = 'width: 50px; flex-wrap: nowrap; white-space: nowrap'");
    let found = [browser.value(TOO_PALE), browser.value(OUT_OF_PLACE)];
    assert!(found.iter().all(|found| found != &json!([])), "{found:?}");
    browser.assert_quiet();
}

#[test]
fn f9_a_script_that_is_not_the_pages_own_is_refused() {
    let sample = Sample::new(cases(), "suite");
    let page = sample.page(None);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    let injected = page_text(&page).replace("</body>", "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\"></body>");
    let other = sample.path().join("injected.html");
    std::fs::write(&other, injected).unwrap();
    browser.open(&other, "");
    assert!(browser.text("title").starts_with("Failed"));
    assert!(
        !browser.console.is_empty(),
        "the policy says what it refused"
    );
}

#[test]
fn history_is_plotted_where_somebody_knows_it() {
    let sample = Sample::new(cases(), "suite");
    let page = sample.page(Some(history()));
    let Some(mut browser) = Browser::start() else {
        return;
    };
    browser.open(&page, "case=net%3A%3Aflaky");
    assert_eq!(
        browser.value("document.getElementById('history-card').hidden"),
        json!(false)
    );
    assert_eq!(browser.count("#history g"), 4);
    assert_eq!(browser.count("#detail .past i"), 3);
    assert_eq!(browser.count("#detail .past i.flaky"), 1);
    assert!(browser.text("#history title").contains("past-0"));
    browser.assert_quiet();
}

#[test]
fn the_part_without_scripts_lists_what_failed_and_nothing_else() {
    let sample = Sample::new(cases(), "suite");
    let page = page_text(&sample.page(None));
    let (_, plain) = page.split_once("<section class=\"plain\">").unwrap();
    let (plain, _) = plain.split_once("</section>").unwrap();
    assert_eq!(plain.matches("<li>").count(), listed(true).len(), "{plain}");
    for (is_failure, is_there) in [(true, true), (false, false)] {
        for id in listed(is_failure) {
            let ends = [format!("{id}<"), format!("{id} "), format!("{id}:")];
            let found = ends.iter().any(|end| plain.contains(end));
            assert_eq!(found, is_there, "{id}: {plain}");
        }
    }
}

/// Ids of the canned cases that have failed, or that have not.
fn listed(is_failure: bool) -> Vec<String> {
    let ended = cases().into_iter().filter(|case| !case.retried);
    let ended = ended.filter(|case| case.verdict.is_failure() == is_failure);
    ended.map(|case| case.case.as_str().to_owned()).collect()
}

#[test]
fn without_scripts_the_summary_and_what_failed_can_be_read() {
    let sample = Sample::new(cases(), "suite");
    let page = sample.page(None);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    browser.ask(
        "Emulation.setScriptExecutionDisabled",
        json!({"value": true}),
    );
    browser.open(&page, "");
    let tree = browser
        .ask("Accessibility.getFullAXTree", json!({}))
        .to_string();
    for expected in [
        "Failed cases",
        "suite::door[size=4]",
        "timed out",
        "zk2 run suite",
        "skipped",
    ] {
        assert!(tree.contains(expected), "{expected}");
    }
    assert!(!tree.contains("Workers over time"));
}

#[test]
fn the_page_fits_a_phone_and_prints_every_case() {
    let Some((mut browser, _sample)) = opened("") else {
        return;
    };
    browser.size(400, 800);
    browser.settle();
    let is_too_wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth";
    assert_eq!(browser.value(is_too_wide), json!(false));
    browser.value("window.dispatchEvent(new Event('beforeprint'))");
    browser.ask("Emulation.setEmulatedMedia", json!({"media": "print"}));
    assert_eq!(shown(&mut browser).len(), 26);
    assert_eq!(
        browser.value("getComputedStyle(document.querySelector('.tools')).display"),
        "none"
    );
    browser.assert_quiet();
}

#[test]
fn f12_of_many_cases_only_those_in_sight_are_elements() {
    let many = (1..=20_000).map(|n| {
        let verdict = if n % 1000 == 0 {
            Verdict::Failed
        } else {
            Verdict::Passed
        };
        case(n, &format!("m{}::case_{n}", n % 40), verdict)
    });
    let sample = Sample::new(many, "suite");
    let page = sample.page(None);
    let Some(mut browser) = Browser::start() else {
        return;
    };
    browser.open(&page, "");
    assert_eq!(browser.text("#shown"), "20,000 cases");
    assert!(browser.count(".row") < 100);
    browser.value("document.getElementById('list').focus()");
    browser.press("End");
    assert!(browser.count(".row") < 100);
    assert_eq!(
        browser.text(".row[aria-selected=true] .id"),
        "m39::case_19999"
    );
    browser.open(&page, "q=case_17000");
    assert_eq!(shown(&mut browser), ["m0::case_17000"]);
    browser.assert_quiet();
}

#[test]
fn nothing_is_loaded_from_anywhere() {
    let sample = Sample::new(cases(), "suite");
    let text = page_text(&sample.page(None));
    assert!(text.contains("default-src 'none'"));
    for word in [
        "src=\"",
        "@import",
        "url(",
        "<link",
        "fetch(",
        "XMLHttpRequest",
        "innerHTML",
        "eval(",
    ] {
        assert!(!text.contains(word), "{word}");
    }
    let addresses: Vec<_> = text
        .match_indices("://")
        .map(|(at, _)| &text[at.saturating_sub(8)..at + 20])
        .collect();
    assert!(
        addresses
            .iter()
            .all(|address| address.contains("http://www.w3.org")),
        "{addresses:?}"
    );
}
