//! A child whose decoder misbehaves as the file says. With any other file, it decodes like the real one.

use picture::{Converted, PictureError};
use picture_process::{Answer, Operation, Output, decode, run_if_child_with};
use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::{abort, exit};

/// The start of an acceptable answer with one picture.
const START: &[u8] = &[0, 0, 1, 0, 0, 0, 0];

fn main() {
    let _ = run_if_child_with(misbehave);
    eprintln!("this program is only started by tests");
    exit(2)
}

fn misbehave(operation: &Operation, file: &[u8]) -> Answer {
    match file {
        b"never ends" => loop {
            std::hint::spin_loop();
        },
        b"waits forever" => loop {
            std::thread::park();
        },
        b"allocates without limit" => {
            let mut all = Vec::new();
            loop {
                all.push(vec![1_u8; 1024 * 1024]);
            }
        }
        b"allocates in threads" => {
            let threads = (0..4).map(|_| {
                std::thread::spawn(|| {
                    let mut all = Vec::new();
                    loop {
                        all.push(vec![1_u8; 64 * 1024]);
                    }
                })
            });
            let threads: Vec<std::thread::JoinHandle<()>> = threads.collect();
            threads.into_iter().for_each(|thread| drop(thread.join()));
            exit(0)
        }
        b"answers without end" => {
            let mut stdout = std::io::stdout().lock();
            loop {
                // It is an acceptable answer at first.
                let start = [START, &[80, 0, 0, 0, 80, 0, 0, 0], &8_u64.to_le_bytes()].concat();
                stdout.write_all(&start).unwrap();
                stdout.write_all(b"\xFF\xD8\xFF").unwrap();
                stdout.write_all(&[0; 64 * 1024]).unwrap();
            }
        }
        b"announces an endless answer" => {
            let mut stdout = std::io::stdout().lock();
            let start = [START, &[80, 0, 0, 0, 80, 0, 0, 0], &u64::MAX.to_le_bytes()].concat();
            stdout.write_all(&start).unwrap();
            loop {
                stdout.write_all(&[0xFF; 64 * 1024]).unwrap();
            }
        }
        b"answers something else" => output(b"this is no picture"),
        b"answers half a picture" => {
            let mut stdout = std::io::stdout().lock();
            stdout.write_all(START).unwrap();
            stdout.write_all(&[80, 0]).unwrap();
            stdout.flush().unwrap();
            exit(0)
        }
        b"ends without an answer" => exit(0),
        b"panics" => panic!("file content"),
        b"aborts" => abort(),
        b"overflows the stack" => {
            println!("{}", deeper(1));
            exit(0)
        }
        b"has an environment" => {
            let names: Vec<_> = std::env::vars_os().map(|(name, _)| name).collect();
            assert!(names.is_empty(), "{names:?}");
            Err(PictureError::TooNarrow(1, 2).into())
        }
        b"complains without end" => {
            let mut stderr = std::io::stderr().lock();
            for _ in 0..1_000 {
                stderr.write_all(&[b'x'; 64 * 1024]).unwrap();
            }
            output(b"\xFF\xD8\xFF complained")
        }
        _ => match file.strip_prefix(b"writes to ") {
            Some(path) => {
                let written = std::fs::write(OsStr::from_bytes(path), b"text");
                output(format!("{written:?}").as_bytes())
            }
            None => decode(operation, file),
        },
    }
}

fn output(bytes: &[u8]) -> Answer {
    Ok(Converted {
        result: vec![Output {
            bytes: bytes.to_vec(),
            width: 80,
            height: 80,
        }],
        incomplete: false,
    })
}

#[allow(unconditional_recursion, reason = "that is the purpose")]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box(depth) + deeper(std::hint::black_box(depth + 1))
}
