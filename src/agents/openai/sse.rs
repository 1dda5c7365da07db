//! Decodes server-sent events, the form in which a model's answer is streamed.
//!
//! Own code and not the crate `eventsource-stream`: that one buffers a line of any length, and does not report comments,
//! which some providers send as a sign of life.

use super::fault::Fault;

/// Maximum length of a line and of the data of an event, in bytes. A provider sends a few words in each event.
pub(super) const MAX_EVENT: usize = 1024 * 1024;

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Event {
    /// The value of its field `event`, or `error` for the field of that name that llama.cpp sends in place of `data`.
    pub(super) name: String,
    /// Its data; several lines are joined.
    pub(super) data: String,
}

/// The decoder of one response.
#[derive(Default)]
pub(super) struct Decoder {
    line: Vec<u8>,
    /// Whether the last byte ended a line as `\r`: a `\n` after it belongs to it.
    after_return: bool,
    /// Whether any line was read: a byte order mark may stand before the first one.
    begun: bool,
    event: Event,
    has_data: bool,
}

impl Decoder {
    /// Decodes a piece of the response, which may begin and end anywhere. Returns the events that it completes.
    pub(super) fn feed(&mut self, piece: &[u8]) -> Result<Vec<Event>, Fault> {
        let mut events = Vec::new();
        for &byte in piece {
            let follows_return = std::mem::take(&mut self.after_return);
            match byte {
                b'\n' if follows_return => {}
                b'\n' => events.extend(self.end_line()?),
                b'\r' => {
                    self.after_return = true;
                    events.extend(self.end_line()?);
                }
                _ if self.line.len() == MAX_EVENT => return Err(Fault::too_long()),
                byte => self.line.push(byte),
            }
        }
        Ok(events)
    }

    /// The event that the end of the response cuts off. Some providers leave out the empty line after the last event.
    pub(super) fn end(mut self) -> Option<Event> {
        let last = self.end_line().ok().flatten();
        last.or_else(|| self.take())
    }

    fn end_line(&mut self) -> Result<Option<Event>, Fault> {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        let line = if std::mem::replace(&mut self.begun, true) {
            &*line
        } else {
            line.strip_prefix('\u{feff}').unwrap_or(&line)
        };
        if line.is_empty() {
            return Ok(self.take());
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => value.clone_into(&mut self.event.name),
            "data" => self.add(value)?,
            "error" => {
                field.clone_into(&mut self.event.name);
                self.add(value)?;
            }
            // A comment has an empty name; `id` and `retry` are of no use for a response that is not repeated.
            _ => {}
        }
        Ok(None)
    }

    fn add(&mut self, value: &str) -> Result<(), Fault> {
        if self.event.data.len() + value.len() >= MAX_EVENT {
            return Err(Fault::too_long());
        }
        if std::mem::replace(&mut self.has_data, true) {
            self.event.data.push('\n');
        }
        self.event.data.push_str(value);
        Ok(())
    }

    fn take(&mut self) -> Option<Event> {
        let event = std::mem::take(&mut self.event);
        std::mem::take(&mut self.has_data).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(stream: &[u8], size: usize) -> Vec<String> {
        let mut decoder = Decoder::default();
        let mut events: Vec<Event> =
            stream.chunks(size).flat_map(|piece| decoder.feed(piece).unwrap()).collect();
        events.extend(decoder.end());
        events.into_iter().map(|event| event.data).collect()
    }

    #[test]
    fn events_are_the_same_however_the_response_is_cut_and_its_lines_end() {
        let stream = "\u{feff}: keep-alive\ndata: {\"a\":1}\n\ndata:two\ndata: lines\n\nid: 7\nretry: 5\n\ndata: grüße\n\n";
        for ending in ["\n", "\r\n", "\r"] {
            let stream = stream.replace('\n', ending);
            for size in 1..stream.len() {
                assert_eq!(data(stream.as_bytes(), size), ["{\"a\":1}", "two\nlines", "grüße"], "{size}");
            }
        }
    }

    #[test]
    fn the_last_event_needs_no_line_break() {
        assert_eq!(data(b"data: one\n\ndata: [DONE]", 4), ["one", "[DONE]"]);
        assert_eq!(data(b"data: one\n\ndata: [DONE]\n", 4), ["one", "[DONE]"]);
        assert_eq!(data(b"data: one\n\n\n\n", 4), ["one"]);
    }

    #[test]
    fn an_error_has_its_name_as_an_event_or_as_a_field() {
        let mut decoder = Decoder::default();
        let events = decoder.feed(b"event: error\ndata: {}\n\nerror: {\"code\":1}\n\ndata: x\n\n").unwrap();
        let names: Vec<(&str, &str)> =
            events.iter().map(|event| (event.name.as_str(), event.data.as_str())).collect();
        assert_eq!(names, [("error", "{}"), ("error", "{\"code\":1}"), ("", "x")]);
    }

    #[test]
    fn a_line_and_an_event_without_an_end_are_refused() {
        let mut decoder = Decoder::default();
        assert!(decoder.feed(&vec![b'x'; MAX_EVENT]).is_ok());
        assert!(decoder.feed(b"x").is_err());
        let (mut decoder, line) = (Decoder::default(), format!("data: {}\n", "x".repeat(1000)));
        let fed = (0..2000).map(|_| decoder.feed(line.as_bytes())).find(Result::is_err);
        assert!(fed.is_some());
    }
}
