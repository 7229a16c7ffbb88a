//! The bytes of one payload, for all who want it encoded.

use std::sync::OnceLock;

use super::super::WireFormat;
use super::{EncodedPayload, PortableError};

type Encoding = OnceLock<Result<EncodedPayload, PortableError>>;

/// One place per format, each filled by the first who asks. One pointer as long as nobody does.
#[derive(Debug, Default)]
pub(crate) struct Encodings(OnceLock<Box<ByFormat>>);

#[derive(Debug, Default)]
struct ByFormat {
    postcard: Encoding,
    json: Encoding,
}

impl Encodings {
    pub(crate) fn get(
        &self,
        format: WireFormat,
        encode: impl FnOnce() -> Result<EncodedPayload, PortableError>,
    ) -> Result<EncodedPayload, PortableError> {
        let by_format = self.0.get_or_init(Box::default);
        let encoding = match format {
            WireFormat::Postcard => &by_format.postcard,
            WireFormat::Json => &by_format.json,
        };
        encoding.get_or_init(encode).clone()
    }
}
