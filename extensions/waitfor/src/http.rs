//! Waiting for an answer over HTTP.

use std::time::Duration;

use regex::Regex;
use ureq::Agent;
use ureq::http::Uri;
use zaf_core::prelude::*;

use crate::WaitError;
use crate::wait::{Look, Matched, WaitFor, regex, tail};

/// Longest that one request may take, whatever the wait is.
const REQUEST_LIMIT: Duration = Duration::from_secs(10);
/// Shortest that one is given: the last look, when the time is over, must have a chance too.
const REQUEST_LEAST: Duration = Duration::from_secs(1);
/// Largest body that is read.
const LONGEST: u64 = 16 * 1024 * 1024;

/// A wait for an answer of a server; made by [`WaitFor::http`]. Any status from 200 to 299 will do unless another one is asked
/// for. Redirects are followed; certificates are checked.
#[derive(Debug, Clone)]
pub struct WaitForHttp<'a> {
    wait: &'a WaitFor,
    url: String,
    status: Option<u16>,
    body: Option<String>,
}

/// What a server answered.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body; invalid UTF-8 is replaced.
    pub body: String,
    /// What matched, if a pattern was given.
    pub matched: Option<Matched>,
}

impl<'a> WaitForHttp<'a> {
    pub(crate) fn new(wait: &'a WaitFor, url: String) -> Self {
        Self {
            wait,
            url,
            status: None,
            body: None,
        }
    }

    /// Waits for exactly this status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Waits for a body that matches a regular expression.
    #[must_use]
    pub fn body(mut self, pattern: impl Into<String>) -> Self {
        self.body = Some(pattern.into());
        self
    }

    /// Asks (GET) until the answer is as it should be.
    ///
    /// # Errors
    /// When the address or the pattern is none, the time is over, or the case is asked to end.
    pub fn get(&self) -> Result<Answer> {
        let pattern = self.body.as_deref().map(regex).transpose()?;
        self.check_address()?;
        let agent: Agent = Agent::config_builder()
            .http_status_as_error(false)
            .build()
            .into();
        self.wait.until(&self.what(), |left| {
            let limit = left.clamp(REQUEST_LEAST, REQUEST_LIMIT);
            match self.ask(&agent, limit) {
                Ok(answer) => self.judge(answer, pattern.as_ref()),
                Err(error) => Look::NotYet(format!("the last request ended with: {error}")),
            }
        })
    }

    fn check_address(&self) -> Result<(), WaitError> {
        let failed = |reason: String| WaitError::Address {
            url: self.url.clone(),
            reason,
        };
        let uri: Uri = self
            .url
            .parse()
            .map_err(|error| failed(format!("{error}")))?;
        match uri.scheme_str() {
            Some("http" | "https") if uri.host().is_some() => Ok(()),
            Some("http" | "https") => Err(failed("it names no host".to_owned())),
            _ => Err(failed(
                "it does not begin with http:// or https://".to_owned(),
            )),
        }
    }

    fn what(&self) -> String {
        let status = match self.status {
            Some(status) => format!("an answer of `{}` with status {status}", self.url),
            None => format!("a good answer of `{}`", self.url),
        };
        match &self.body {
            Some(pattern) => format!("{status} and a body that matches `{pattern}`"),
            None => status,
        }
    }

    fn ask(&self, agent: &Agent, limit: Duration) -> Result<Answer, ureq::Error> {
        let request = agent
            .get(&self.url)
            .config()
            .timeout_global(Some(limit))
            .build();
        let mut response = request.call()?;
        let status = response.status().as_u16();
        let body = response.body_mut().with_config().limit(LONGEST);
        let body = body.lossy_utf8(true).read_to_string()?;
        Ok(Answer {
            status,
            body,
            matched: None,
        })
    }

    fn judge(&self, mut answer: Answer, pattern: Option<&Regex>) -> Look<Answer> {
        let good = match self.status {
            Some(status) => answer.status == status,
            None => (200..300).contains(&answer.status),
        };
        if let Some(pattern) = pattern {
            answer.matched = Matched::in_text(pattern, &answer.body);
        }
        if good && pattern.is_some() == answer.matched.is_some() {
            return Look::There(answer);
        }
        Look::NotYet(format!(
            "the last answer was {}: {}",
            answer.status,
            tail(&answer.body)
        ))
    }
}
