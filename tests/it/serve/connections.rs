//! Clients that are slow, many, or too big.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use mailmag::web::service::Settings;

use super::{answer, connect_from, send, served_with};

fn impatient(settings: &mut Settings) {
    settings.patience.head = Duration::from_millis(300);
    settings.patience.form = Duration::from_millis(300);
    settings.patience.answer = Duration::from_secs(1);
    settings.patience.taking = Duration::from_millis(300);
}

#[test]
fn half_a_head_and_silence_end() {
    let served = served_with(impatient, None);
    for beginning in ["", "GET / HT", "GET / HTTP/1.1\r\nHost: mail.example.jp\r\nX-"] {
        let mut stream = TcpStream::connect(served.address).unwrap();
        stream.write_all(beginning.as_bytes()).unwrap();
        let begun = Instant::now();
        let answer = answer_or_nothing(&mut stream);
        assert!(begun.elapsed() < Duration::from_secs(5), "{beginning:?}");
        assert!(["", "408"].contains(&answer.as_str()), "{beginning:?} {answer}");
    }
    // Between two requests a connection has as long.
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.write_all(b"GET /lost HTTP/1.1\r\nHost: mail.example.jp\r\n\r\n").unwrap();
    assert_eq!(answer(&mut stream).status, 200);
}

#[test]
fn half_a_form_ends() {
    let served = served_with(impatient, None);
    let head = "POST /subscribe HTTP/1.1\r\nHost: mail.example.jp\r\nContent-Length: 100\r\n\r\nemail=";
    let answer = send(served.address, head.as_bytes());
    assert_eq!(answer.status, 408);
}

#[test]
fn a_client_that_takes_nothing_gives_its_place_back() {
    let served = served_with(
        |settings| {
            impatient(settings);
            settings.connections = 1;
        },
        None,
    );
    let mut stream = TcpStream::connect(served.address).unwrap();
    stream.set_nonblocking(true).unwrap();
    // Asks for pages until neither side has room for more, and reads none.
    let request = b"GET / HTTP/1.1\r\nHost: mail.example.jp\r\n\r\n".repeat(100);
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(20) {
        match stream.write(&request) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => std::thread::yield_now(),
            Err(_) => break,
        }
    }
    assert!(begun.elapsed() < Duration::from_secs(20), "it was cut off");
    assert_eq!(served.get("/").status, 200);
}

#[test]
fn a_form_that_is_too_large_is_not_read() {
    let served = served_with(|_| {}, None);
    let form = format!("email={}", "a".repeat(17 * 1024));
    assert_eq!(served.post("/subscribe", &form).status, 413);
    let chunk = format!("{:x}\r\n{}\r\n", 8192, "a".repeat(8192));
    let chunked = format!(
        "POST /subscribe HTTP/1.1\r\nHost: mail.example.jp\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{}0\r\n\r\n",
        chunk.repeat(4)
    );
    assert_eq!(served.ask(&chunked).status, 413);
    let head = format!("GET / HTTP/1.1\r\nHost: mail.example.jp\r\nX: {}\r\n\r\n", "a".repeat(64 * 1024));
    assert_eq!(served.ask(&head).status, 431);
    let many = format!("GET / HTTP/1.1\r\nHost: mail.example.jp\r\n{}\r\n", "X: a\r\n".repeat(200));
    assert_eq!(served.ask(&many).status, 431);
}

#[test]
fn half_open_connections_keep_nobody_else_out() {
    let served = served_with(
        |settings| {
            settings.connections = 400;
            settings.connections_per_network = 300;
        },
        None,
    );
    let mut open: Vec<TcpStream> = Vec::new();
    for host in 0..250 {
        let mut stream = connect_from([127, 0, 7, host], served.address);
        stream.write_all(b"POST /subscribe HTTP/1.1\r\nHost: mail.exa").unwrap();
        open.push(stream);
    }
    for index in 0..50 {
        let begun = Instant::now();
        assert_eq!(served.post("/subscribe", &format!("email=reader{index}@example.jp")).status, 200);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
    // Where all of its own network's places are taken, a client hears when to come again.
    for host in 0..50 {
        open.push(connect_from([127, 0, 7, host], served.address));
    }
    let mut refused = connect_from([127, 0, 7, 251], served.address);
    refused.write_all(b"GET / HTTP/1.1\r\nHost: mail.example.jp\r\n\r\n").unwrap();
    let refused = answer(&mut refused);
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    assert_eq!(served.get("/").status, 200);
    drop(open);
}

/// The status that came, or nothing where the connection was closed without one.
fn answer_or_nothing(stream: &mut TcpStream) -> String {
    use std::io::Read;
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text.split(' ').nth(1).unwrap_or_default().to_owned()
}
