use super::*;
use crate::sign_in::fake;
use crate::upload::state::State;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use tempfile::TempDir;

/// The API and S3 in one server. It answers the requests one after another and closes each connection.
struct Server {
    url: String,
    thread: thread::JoinHandle<Vec<String>>,
}

/// A response: status, headers and body.
struct Answer(u16, &'static str, String);

/// Not HTTP: the server closes the connection without a response.
const BROKEN: u16 = 0;

impl Server {
    /// Answers with these responses, and then ends. `{url}` in a body is the server's address.
    fn new(answers: Vec<Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let own = url.clone();
        let thread = thread::spawn(move || {
            answers
                .into_iter()
                .map(|answer| respond(listener.accept().unwrap().0, |_, _| answer, &own))
                .collect()
        });
        Self { url, thread }
    }

    /// Answers each request by its method and path, and its body. The last one is `last`.
    fn answering(last: &'static str, mut answer: impl FnMut(&str, &str) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let own = url.clone();
        let thread = thread::spawn(move || {
            let mut requests: Vec<String> = vec![];
            while !requests.last().is_some_and(|request| request.starts_with(last)) {
                requests.push(respond(listener.accept().unwrap().0, &mut answer, &own));
            }
            requests
        });
        Self { url, thread }
    }

    /// The requests: method, path, length of the body, and the last part of the access token.
    fn requests(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

fn respond(mut stream: TcpStream, answer: impl FnOnce(&str, &str) -> Answer, url: &str) -> String {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut first = String::new();
    reader.read_line(&mut first).unwrap();
    let mut length = 0;
    let mut authorization = String::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        let Some((name, value)) = line.trim().split_once(": ") else {
            break;
        };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.parse().unwrap(),
            "authorization" => authorization = value[value.rfind('.').unwrap()..].to_owned(),
            _ => {}
        }
    }
    let mut content = vec![0; length];
    reader.read_exact(&mut content).unwrap();
    let request = first.trim_end_matches(" HTTP/1.1\r\n");
    let Answer(status, headers, body) = answer(request, &String::from_utf8_lossy(&content));
    if status != BROKEN {
        let body = body.replace("{url}", url);
        let length = body.len();
        write!(
            stream,
            "HTTP/1.1 {status} X\r\n{headers}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
    }
    format!("{request} {length}{authorization}")
}

fn created(number: u32) -> Answer {
    let body = format!(
        r#"{{"imageId": "image-{number}", "upload": {{"method": "PUT", "url": "{{url}}/s3/{number}", "headers": {{}}}}}}"#
    );
    Answer(201, "", body)
}

fn problem(status: u16, headers: &'static str, kind: &str) -> Answer {
    let body = format!(
        r#"{{"type": "urn:image-label-generator:problem:{kind}", "title": "T", "detail": "{kind}.", "imageId": "image-0"}}"#
    );
    Answer(status, headers, body)
}

fn status(status: u16) -> Answer {
    Answer(status, "", String::new())
}

const QUICK: Backoff = Backoff {
    attempts: 3,
    first: Duration::from_millis(1),
    max: Duration::from_millis(2),
};

/// Some files with their contents.
fn files(folder: &Path, contents: &[&str]) -> Vec<Prepared> {
    let file = |(number, content): (usize, &&str)| {
        let path = folder.join(format!("{number}.jpg"));
        fs::write(&path, content).unwrap();
        let (_, sha256) = crate::file::describe(&path).unwrap();
        let file = Found::new(path.clone(), &path.metadata().unwrap());
        Prepared { file, sha256 }
    };
    contents.iter().enumerate().map(file).collect()
}

/// The result of some uploads.
struct Sent {
    outcomes: Vec<Outcome>,
    notes: Vec<String>,
    requests: Vec<String>,
    stop: Stop,
}

/// Uploads files with these contents to a server with these answers, one after another.
fn send_all(contents: &[&str], waits: bool, parallel: u32, answers: Vec<Answer>) -> Sent {
    let folder = TempDir::new().unwrap();
    let server = Server::new(answers);
    let api = Api::new(&server.url, fake(folder.path(), 3600)).unwrap();
    let stop = Stop::default();
    let there = HashMap::from([(crate::file::digest(&b"there"[..]).unwrap().1, "known".to_owned())]);
    let sender = Sender::new(&api, &stop, QUICK, waits, &there, parallel);
    let (mut outcomes, mut notes) = (vec![], vec![]);
    for file in files(folder.path(), contents) {
        if stop.is_set() {
            break;
        }
        sender.send(file, &mut |event| match event {
            Event::Done(_, outcome) => outcomes.push(outcome),
            Event::Started(_, image_id) => panic!("{image_id}"),
            Event::Note(note) => notes.push(note),
        });
    }
    Sent {
        outcomes,
        notes,
        requests: server.requests(),
        stop,
    }
}

fn send(answers: Vec<Answer>) -> Sent {
    send_all(&["a picture"], false, 8, answers)
}

fn uploaded(number: u32) -> Outcome {
    Outcome::Uploaded(format!("image-{number}"))
}

#[test]
fn a_file_is_announced_and_streamed_with_its_length() {
    let sent = send(vec![created(1), status(200)]);
    assert_eq!(sent.outcomes, [uploaded(1)]);
    assert!(
        sent.requests[0].starts_with("POST /uploads "),
        "{:?}",
        sent.requests
    );
    assert_eq!(sent.requests[1], "PUT /s3/1 9");
}

#[test]
fn a_file_that_is_there_is_not_uploaded() {
    let sent = send(vec![problem(409, "", "already-uploaded")]);
    assert_eq!(sent.outcomes, [Outcome::AlreadyThere("image-0".into())]);
    let sent = send_all(&["there"], false, 8, vec![]);
    assert_eq!(
        sent.outcomes,
        [Outcome::AlreadyThere("known".into())],
        "the API is not asked"
    );
}

#[test]
fn the_second_file_with_the_same_content_is_not_uploaded() {
    let sent = send_all(&["same", "same"], false, 8, vec![created(1), status(200)]);
    assert_eq!(
        sent.outcomes,
        [uploaded(1), Outcome::AlreadyThere("image-1".into())]
    );
}

#[test]
fn a_file_whose_content_is_being_uploaded_gets_the_same_outcome() {
    let failed = Outcome::Failed("S3 responds with status 404".into());
    for (outcome, expected) in [
        (
            Some(uploaded(1)),
            vec![uploaded(1), Outcome::AlreadyThere("image-1".into())],
        ),
        (Some(failed.clone()), vec![failed.clone(), failed]),
        (None, vec![]),
    ] {
        let folder = TempDir::new().unwrap();
        let api = Api::new("http://127.0.0.1:1", fake(folder.path(), 3600)).unwrap();
        let stop = Stop::default();
        let sender = Sender::new(&api, &stop, QUICK, false, &HashMap::new(), 8);
        let [first, second] = <[Prepared; 2]>::try_from(files(folder.path(), &["same", "same"])).unwrap();
        let mut told = vec![];
        let mut tell = |event: Event<'_>| match event {
            Event::Done(file, outcome) => told.push((file.file.path.clone(), outcome)),
            Event::Started(_, image_id) => panic!("{image_id}"),
            Event::Note(note) => panic!("{note}"),
        };
        let first = sender.claim(first, &mut tell).unwrap();
        let paths = [first.file.path.clone(), second.file.path.clone()];
        assert!(sender.claim(second, &mut tell).is_none());
        sender.finish(&first, outcome, &mut tell);
        assert_eq!(told, paths.into_iter().zip(expected).collect::<Vec<_>>());
    }
}

#[test]
fn temporary_errors_are_retried() {
    let sent = send(vec![
        status(BROKEN),
        problem(429, "retry-after: 0\r\n", "x"),
        created(1),
        status(200),
    ]);
    assert_eq!(sent.outcomes, [uploaded(1)]);
    // The announcement is not repeated: its URL is still valid.
    let sent = send(vec![created(1), status(503), status(BROKEN), status(200)]);
    assert_eq!(sent.outcomes, [uploaded(1)]);
    // S3 has stored the file, but its response was lost.
    let sent = send(vec![created(1), status(BROKEN), status(412)]);
    assert_eq!(sent.outcomes, [uploaded(1)]);
}

#[test]
fn an_expired_url_is_replaced_once() {
    let sent = send(vec![created(1), status(403), created(2), status(200)]);
    assert_eq!(sent.outcomes, [uploaded(2)]);
    let sent = send(vec![created(1), status(403), created(2), status(403)]);
    assert!(
        matches!(&sent.outcomes[..], [Outcome::Failed(reason)] if reason.starts_with("S3 rejects the file")),
        "{:?}",
        sent.outcomes
    );
}

#[test]
fn a_refused_token_is_renewed_once() {
    let sent = send(vec![status(401), created(1), status(200)]);
    assert_eq!(sent.outcomes, [uploaded(1)]);
    let tokens: Vec<_> = sent
        .requests
        .iter()
        .map(|request| request.rsplit('.').next().unwrap())
        .collect();
    assert_eq!(tokens[..2], ["1", "2"], "{:?}", sent.requests);
}

#[test]
fn a_refused_file_fails_and_the_next_is_uploaded() {
    let answers = vec![problem(400, "", "invalid-field"), created(1), status(200)];
    let sent = send_all(&["one", "two"], false, 8, answers);
    assert_eq!(
        sent.outcomes,
        [Outcome::Failed("T: invalid-field.".into()), uploaded(1)]
    );
    assert!(!sent.stop.is_set());
}

/// Pictures need no minutes.
#[test]
fn a_video_without_minutes_fails_and_the_next_file_is_uploaded() {
    let refused = problem(429, "retry-after: 3600\r\n", "too-many-video-minutes");
    let sent = send_all(&["one", "two"], false, 8, vec![refused, created(1), status(200)]);
    assert_eq!(
        sent.outcomes,
        [Outcome::Failed("T: too-many-video-minutes.".into()), uploaded(1)]
    );
    assert!(!sent.stop.is_set());
}

#[test]
fn the_daily_limit_ends_the_run_with_its_reason() {
    let answers = || problem(429, "retry-after: 3600\r\n", "too-many-images");
    let sent = send_all(&["one", "two"], false, 8, vec![answers()]);
    assert!(sent.outcomes.is_empty());
    assert_eq!(
        sent.stop.reason(),
        Some("T: too-many-images. With --wait, this command waits for that.")
    );
}

#[test]
fn the_next_day_is_waited_for_if_wanted() {
    let answers = vec![
        problem(429, "retry-after: 0\r\n", "too-many-images-in-total"),
        created(1),
        status(200),
    ];
    let sent = send_all(&["one"], true, 8, answers);
    assert_eq!(sent.outcomes, [uploaded(1)]);
    assert_eq!(sent.notes, ["T: too-many-images-in-total. Waiting."]);
}

#[test]
fn an_outage_ends_the_run_after_some_files() {
    let outage = || (0..3).map(|_| status(500));
    let answers = outage().chain(outage()).chain(outage()).collect();
    let sent = send_all(&["one", "two", "three", "four"], false, 1, answers);
    let failed = Outcome::Failed("the API responds with status 500 Internal Server Error".into());
    assert_eq!(sent.outcomes, vec![failed; 3]);
    let reason = sent.stop.reason().unwrap();
    assert!(
        reason.ends_with("500 Internal Server Error, after several attempts"),
        "{reason}"
    );
}

#[test]
fn a_file_that_changes_after_its_checksum_is_not_uploaded() {
    let folder = TempDir::new().unwrap();
    let server = Server::new(vec![created(1)]);
    let api = Api::new(&server.url, fake(folder.path(), 3600)).unwrap();
    let stop = Stop::default();
    let sender = Sender::new(&api, &stop, QUICK, false, &HashMap::new(), 8);
    let [file] = <[Prepared; 1]>::try_from(files(folder.path(), &["before"])).unwrap();
    fs::write(&file.file.path, "afterwards").unwrap();
    let mut outcomes = vec![];
    sender.send(file, &mut |event| {
        if let Event::Done(_, outcome) = event {
            outcomes.push(outcome);
        }
    });
    assert_eq!(outcomes, [Outcome::Failed(CHANGED.into())]);
    server.requests();
}

#[test]
fn pauses_double_up_to_the_longest_and_respect_what_the_service_asks_for() {
    let backoff = Backoff {
        attempts: 20,
        first: Duration::from_secs(1),
        max: Duration::from_secs(60),
    };
    let pause = |failed| backoff.pause(failed, None).as_secs_f64();
    assert!((0.5..=1.0).contains(&pause(1)));
    assert!((4.0..=8.0).contains(&pause(4)));
    assert!((30.0..=60.0).contains(&pause(19)));
    assert!((30.0..=60.0).contains(&pause(u32::MAX)));
    let asked = |seconds| backoff.pause(1, Some(Duration::from_secs(seconds))).as_secs();
    assert_eq!(asked(7), 7);
    assert_eq!(asked(86_400), 300, "a daily limit is another error");
}

/// A file that is uploaded in two parts, of which the second one has a byte.
fn large(folder: &Path) -> Prepared {
    let path = folder.join("a.mp4");
    let file = fs::File::create(&path).unwrap();
    file.set_len(domain::image::MAX_BYTES + 1).unwrap();
    let file = Found::new(path.clone(), &path.metadata().unwrap());
    let sha256 = [0; 32];
    Prepared { file, sha256 }
}

/// The SHA-256 of so many zeros, in base64.
fn checksum(length: u64) -> String {
    let (_, sha256) = crate::file::digest(std::io::repeat(0).take(length)).unwrap();
    BASE64_STANDARD.encode(sha256)
}

const GET: &str = "GET /uploads/image-1/parts";
const POST: &str = "POST /uploads/image-1/parts";
const COMPLETE: &str = "POST /uploads/image-1/complete";
const MULTIPART: &str = r#""multipart": {"partSize": 104857600, "partCount": 2}"#;

fn started() -> Answer {
    Answer(201, "", format!(r#"{{"imageId": "image-1", {MULTIPART}}}"#))
}

/// What has arrived: nothing, or the first part.
fn arrived(has_first: bool) -> Answer {
    let first = format!(
        r#"{{"number": 1, "sha256": "{}"}}"#,
        checksum(domain::image::MAX_BYTES)
    );
    let parts = if has_first { first } else { String::new() };
    Answer(
        200,
        "",
        format!(r#"{{"complete": false, {MULTIPART}, "parts": [{parts}]}}"#),
    )
}

fn part(number: u32) -> Answer {
    let body = format!(
        r#"{{"parts": [{{"number": {number}, "method": "PUT", "url": "{{url}}/s3/{number}", "headers": {{}}}}]}}"#
    );
    Answer(200, "", body)
}

/// The outcomes, the images of uploads that were started, and the methods and paths of all requests.
fn send_large(
    known: &Known,
    file: Prepared,
    folder: &Path,
    server: Server,
) -> (Vec<Outcome>, Vec<String>, Vec<String>) {
    let api = Api::new(&server.url, fake(folder, 3600)).unwrap();
    let stop = Stop::default();
    let sender = Sender::new(&api, &stop, QUICK, false, &HashMap::new(), 8).continuing(known);
    let (mut outcomes, mut begun) = (vec![], vec![]);
    sender.send(file, &mut |event| match event {
        Event::Done(_, outcome) => outcomes.push(outcome),
        Event::Started(_, image_id) => begun.push(image_id),
        Event::Note(note) => panic!("{note}"),
    });
    let requests = server.requests();
    let requests = requests.iter().map(|request| {
        let mut words = request.split(' ');
        format!("{} {}", words.next().unwrap(), words.next().unwrap())
    });
    (outcomes, begun, requests.collect())
}

#[test]
fn a_large_video_is_uploaded_in_parts_and_a_part_that_is_there_is_not_sent_again() {
    let folder = TempDir::new().unwrap();
    let (mut has_first, mut is_broken) = (false, true);
    let server = Server::answering(COMPLETE, move |request, body| match request {
        "POST /uploads" => started(),
        GET => arrived(has_first),
        POST => part(if body.contains(r#""number":1"#) { 1 } else { 2 }),
        "PUT /s3/1" => {
            has_first = true;
            status(200)
        }
        "PUT /s3/2" => status(if std::mem::take(&mut is_broken) {
            BROKEN
        } else {
            200
        }),
        COMPLETE => status(204),
        other => panic!("{other}"),
    });
    let file = large(folder.path());
    let (outcomes, begun, requests) = send_large(&Known::default(), file, folder.path(), server);
    assert_eq!(outcomes, [uploaded(1)]);
    assert_eq!(begun, ["image-1"]);
    let again = [
        "GET /uploads/image-1/parts",
        "POST /uploads/image-1/parts",
        "PUT /s3/2",
    ];
    assert_eq!(requests[..2], ["POST /uploads", again[0]]);
    // The two parts are sent at the same time.
    let mut first = requests[2..6].to_vec();
    first.sort();
    assert_eq!(first, [POST, POST, "PUT /s3/1", "PUT /s3/2"]);
    assert_eq!(requests[6..], [GET, POST, "PUT /s3/2", COMPLETE]);
}

/// A video of 10 GB takes hours. Ctrl-C would have to wait for it.
#[test]
fn a_run_that_should_end_sends_no_more_parts_and_reports_no_outcome() {
    let folder = TempDir::new().unwrap();
    let stop = Arc::new(Stop::default());
    let stopping = Arc::clone(&stop);
    let server = Server::answering(GET, move |request, _| match request {
        "POST /uploads" => started(),
        _ => {
            stopping.because("interrupted".to_owned());
            arrived(false)
        }
    });
    let api = Api::new(&server.url, fake(folder.path(), 3600)).unwrap();
    let sender = Sender::new(&api, &stop, QUICK, false, &HashMap::new(), 8);
    let mut begun = vec![];
    sender.send(large(folder.path()), &mut |event| match event {
        Event::Started(_, image_id) => begun.push(image_id),
        Event::Done(_, outcome) => panic!("{outcome:?}"),
        Event::Note(note) => panic!("{note}"),
    });
    assert_eq!(begun, ["image-1"], "the next run continues it");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn another_run_continues_an_upload_in_parts_or_starts_a_new_one_if_it_has_expired() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("state.jsonl");
    let file = large(folder.path());
    let mut state = State::open(&path, "ada").unwrap();
    state.begin(&file.file, &file.sha256, "image-1").unwrap();
    let known = Known::read(&path, Some("ada")).unwrap();
    let answers = vec![arrived(true), arrived(true), part(2), status(200), status(204)];
    let again = file.clone();
    let (outcomes, begun, _) = send_large(&known, file, folder.path(), Server::new(answers));
    assert_eq!((outcomes, begun), (vec![uploaded(1)], vec![]));

    let answers = vec![
        problem(410, "", "upload-expired"),
        started(),
        arrived(true),
        part(2),
        status(200),
        status(204),
    ];
    let (outcomes, begun, _) = send_large(&known, again, folder.path(), Server::new(answers));
    assert_eq!((outcomes, begun), (vec![uploaded(1)], vec!["image-1".to_owned()]));
}
