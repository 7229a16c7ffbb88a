//! An addon for systems that are reached by telnet: what it adds to them, and a component of it.

use k2::prelude::*;
use k2::sut::{DESCRIBE_SUT, SUT_IDS, SUTS, Sut, SutPart};

/// Port of the telnet server; a SUT without one has none.
const PORT: OptionId<u64> = OptionId::count("telnet.port").at(&SUTS);

/// How a SUT is reached.
struct Telnet {
    port: u64,
}

/// Adds what is known about telnet to each SUT.
#[command_extension(
    name = "telnet",
    extends = ["sut"],
    config_options = [SUT_IDS.instantiate_on(), PORT.optional()],
)]
struct TelnetAddon {
    port: Option<u64>,
}

impl Extension for TelnetAddon {
    fn new(cx: &ExtensionContext<'_>) -> Result<Self> {
        let port = cx.config().get_optional(PORT)?;
        Ok(Self { port })
    }
}

#[dispatchers]
impl TelnetAddon {
    #[callback_dispatcher(DESCRIBE_SUT, entity = SUT_IDS)]
    fn describe(&self, _message: &Message<()>) -> SutPart {
        match self.port {
            Some(port) => SutPart::new()
                .can("telnet")
                .attribute("telnet.port", port)
                .with(Telnet { port }),
            None => SutPart::new(),
        }
    }
}

/// A shell on the SUT of the case.
pub(crate) struct Shell {
    pub(crate) place: String,
}

#[component(scope = "test", can = ["telnet"])]
#[requires(sut, can = ["telnet"])]
/// A shell on a SUT, by telnet.
fn telnet_shell(sut: &Sut) -> Result<Shell> {
    let telnet = sut.part::<Telnet>();
    let telnet = telnet.ok_or_else(|| Error::msg("it says that it can"))?;
    let ip = sut.ip.as_deref().unwrap_or("localhost");
    Ok(Shell {
        place: format!("{sut} at {ip}:{}", telnet.port),
    })
}
