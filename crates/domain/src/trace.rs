//! What the current invocation spends time on: calls of AWS services, and work on pictures.
//!
//! Libraries measure with the functions of this module. `crates/lambda` takes the parts at the end of each invocation and
//! sends them to X-Ray. Nothing is measured between invocations, or if X-Ray does not record the request.
//!
//! All names are from closed lists, or are AWS's names of operations: no key, URL or owner can become a part of a trace.

use crate::image::ImageId;
use crate::metric::Service;
use std::cell::RefCell;
use std::time::{Duration, SystemTime};
use strum::IntoStaticStr;

/// The maximum number of parts of an invocation that are kept. A step has a few. The reconciler and jobs have more, and their
/// first parts show what the others are like.
const MAX_PARTS: usize = 100;

/// Something that took time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it was.
    pub activity: Activity,
    /// When it started.
    pub started: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
}

/// What takes time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Activity {
    /// A call of an AWS service. Each attempt is one.
    Call {
        /// The service.
        service: Service,
        /// AWS's name of the operation, such as `GetObject`.
        operation: String,
        /// The status of the HTTP response. `None` if there was none.
        status: Option<u16>,
    },
    /// Work on a picture or a video.
    Work(Work),
}

/// Work on a picture or a video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
pub enum Work {
    /// The start of a process, what it reads, and everything that it does except for encoding.
    Decode,
    /// Encoding JPEGs in that process.
    Encode,
}

/// What was measured of an invocation.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// The image that the invocation is about.
    pub image_id: Option<ImageId>,
    /// The parts, in the order in which they ended.
    pub parts: Vec<Part>,
}

thread_local! {
    /// A function handles one event at a time, in one thread. `None` if nothing is measured.
    static RECORDING: RefCell<Option<Recording>> = const { RefCell::new(None) };
}

/// Starts to measure in this thread.
pub fn start() {
    RECORDING.set(Some(Recording::default()));
}

/// Names the image that the invocation is about.
pub fn about(image_id: ImageId) {
    RECORDING.with_borrow_mut(|recording| {
        if let Some(recording) = recording {
            recording.image_id = Some(image_id);
        }
    });
}

/// Stops measuring in this thread, and returns what was measured.
pub fn take() -> Recording {
    RECORDING.take().unwrap_or_default()
}

/// Measures a part until it is dropped. An invocation that is canceled also drops it.
#[derive(Debug)]
pub struct Timer {
    activity: Activity,
    started: SystemTime,
    /// How long before its end the part has turned into [`Work::Encode`].
    encoding: Duration,
}

impl Timer {
    /// The service has responded to the call.
    pub fn responded(mut self, response: u16) {
        if let Activity::Call { status, .. } = &mut self.activity {
            *status = Some(response);
        }
    }

    /// The decoding has ended, and this much of the time until now was spent on encoding. It is shown as one part at the end,
    /// also if several pictures were decoded and encoded in turn. Only the time since the start counts.
    pub fn encoded(mut self, time: Duration) {
        self.encoding = time;
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        RECORDING.with_borrow_mut(|recording| {
            let Some(recording) = recording else { return };
            let now = SystemTime::now();
            let turned = now.checked_sub(self.encoding).unwrap_or(now).max(self.started);
            let mut add = |activity, started, ended| {
                if recording.parts.len() < MAX_PARTS {
                    recording.parts.push(Part {
                        activity,
                        started,
                        ended,
                    });
                }
            };
            add(self.activity.clone(), self.started, turned);
            if !self.encoding.is_zero() {
                add(Activity::Work(Work::Encode), turned, now);
            }
        });
    }
}

/// Measures an activity, unless nothing is measured.
fn measure(activity: impl FnOnce() -> Option<Activity>) -> Option<Timer> {
    if RECORDING.with_borrow(Option::is_none) {
        return None;
    }
    Some(Timer {
        activity: activity()?,
        started: SystemTime::now(),
        encoding: Duration::ZERO,
    })
}

/// Measures a call of a service. `describe` returns the service and the operation, and is only called if calls are
/// measured. The call has failed unless [`Timer::responded`] is called.
pub fn call(describe: impl FnOnce() -> Option<(Service, String)>) -> Option<Timer> {
    measure(|| {
        let (service, operation) = describe()?;
        Some(Activity::Call {
            service,
            operation,
            status: None,
        })
    })
}

/// Measures the decoding of a picture or of frames.
#[must_use = "the decoding ends when the timer is dropped"]
pub fn decoding() -> Option<Timer> {
    measure(|| Some(Activity::Work(Work::Decode)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const IMAGE: &str = "0193a5a0-0000-7000-8000-000000000001";

    fn get_object() -> Option<Timer> {
        call(|| Some((Service::S3, "GetObject".to_owned())))
    }

    #[test]
    fn nothing_is_measured_unless_the_request_is_recorded() {
        assert!(get_object().is_none());
        about(ImageId::parse(IMAGE).unwrap());
        assert_eq!(take(), Recording::default());
    }

    #[test]
    fn a_call_without_a_response_has_no_status() {
        start();
        get_object().unwrap().responded(404);
        drop(get_object());
        let statuses: Vec<_> = take()
            .parts
            .into_iter()
            .map(|part| match part.activity {
                Activity::Call { status, .. } => status,
                Activity::Work(_) => panic!("no work was done"),
            })
            .collect();
        assert_eq!(statuses, [Some(404), None]);
        assert!(get_object().is_none(), "measuring has ended");
    }

    #[test]
    fn decoding_and_encoding_are_two_parts_within_the_time_of_the_process() {
        start();
        let before = SystemTime::now();
        // Longer than the process has run: what a child process reports is untrusted.
        decoding().unwrap().encoded(Duration::from_secs(3600));
        let [decode, encode] = &take().parts[..] else {
            panic!("two parts")
        };
        assert_eq!(decode.activity, Activity::Work(Work::Decode));
        assert_eq!(encode.activity, Activity::Work(Work::Encode));
        assert!(before <= decode.started && decode.started <= decode.ended);
        assert!(decode.ended == encode.started && encode.started <= encode.ended);
    }

    #[test]
    fn an_invocation_with_many_calls_does_not_fill_the_memory() {
        start();
        for _ in 0..10 * MAX_PARTS {
            drop(decoding());
        }
        assert_eq!(take().parts.len(), MAX_PARTS);
    }
}
