//! Who reads the output of a plugin changes all the time: nothing is lost, nothing comes to somebody else, nobody waits for ever.

use zaf_plugins::link::{Link, Start};

use crate::host::{Asked, ask, host};
use crate::scripted::{START, plugin_with};

/// How often a plugin lives and dies.
const LIVES: u64 = 30;

/// How it dies, and what is said about it.
const DEATHS: [(&str, &str); 4] = [
    ("exit 3", "exit code 3"),
    ("kill -9 $$", "SIGKILL"),
    ("echo nonsense", "what is not the protocol"),
    ("printf '{\"type\":'; exit 4", "exit code 4"),
];

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005);
        self.0 = self.0.wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Answers what it is asked with that itself, every second answer behind the next one; triggers and logs of its own accord; dies.
fn script(death: &str, at: u64) -> String {
    format!(
        r#"{START}
        n=0; held=
        while read -r frame; do
            n=$((n + 1))
            [ $n -eq {at} ] && {{ {death}; }}
            id=${{frame#*\"id\":}}; id=${{id%%[!0-9]*}}
            asked=${{frame##*\"payload\":}}; asked=${{asked%\}}}}
            answer="{{\"type\":\"reply\",\"id\":$id,\"payload\":$asked}}"
            [ $((n % 3)) -eq 0 ] && echo "{{\"type\":\"trigger\",\"message\":\"NOISE\",\"endpoint\":\"e\",\"payload\":$n}}"
            [ $((n % 5)) -eq 0 ] && echo "noise $n" >&2
            if [ -z "$held" ]; then held=$answer; continue; fi
            echo "$answer"; echo "$held"; held=
        done"#
    )
}

#[test]
fn answers_find_who_waits_whoever_reads_them_until_the_plugin_dies() {
    let mut chance = Chance(2026);
    for life in 0..LIVES {
        let (death, said) = DEATHS[usize::try_from(life % 4).unwrap()];
        let at = 10 + chance.below(150);
        let plugin = plugin_with(",\"concurrent\":true", &script(death, at));
        let link = plugin.launch().unwrap();
        let (host, kept) = host();
        link.start(&Start::default(), host).unwrap();
        let link = &link;
        let ends = std::thread::scope(|scope| {
            // One answer is held back at most, so somebody can always go on.
            let askers: Vec<_> = (0..4_u64)
                .map(|asker| {
                    scope.spawn(move || {
                        for count in 0_u64.. {
                            let payload = (asker * 1_000_000 + count).to_string();
                            match ask(link, &payload) {
                                Ok(answer) => assert_eq!(answer, payload, "life {life}"),
                                Err(error) => return error,
                            }
                        }
                        unreachable!("a plugin does not live that long")
                    })
                })
                .collect();
            askers
                .into_iter()
                .map(|asker| asker.join().unwrap())
                .collect::<Vec<_>>()
        });
        for end in ends {
            assert!(end.is_fatal(), "life {life}: {end}");
            assert!(end.to_string().contains(said), "life {life}: {end}");
        }
        // A second end is none.
        let _known = link.stop();
        let mut noise = kept.asked.try_iter().map(|asked| match asked {
            Asked::Trigger(event) => {
                let text = std::str::from_utf8(event.payload().bytes()).unwrap();
                text.parse::<u64>().unwrap()
            }
            Asked::Send(..) => unreachable!("it sends nothing"),
        });
        // In its order, and none is missing: those that were still queued when it died are not carried out.
        assert!(
            (1..)
                .map(|n| n * 3)
                .zip(&mut noise)
                .all(|(expected, n)| n == expected),
            "life {life}"
        );
    }
}
