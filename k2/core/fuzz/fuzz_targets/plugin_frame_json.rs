#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| k2_fuzz::plugin_frame_json(data));
