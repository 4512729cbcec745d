// tokio: both of its schedulers, and its blocking threads.
//
//   tokio_loop current|multi healthy|stalls|waits|pool

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};

const TICK: Duration = Duration::from_millis(5);
const STALL: Duration = Duration::from_millis(150);
const WORK: Duration = Duration::from_millis(200);
const LENGTH: Duration = Duration::from_millis(2000);

#[inline(never)]
fn block_in_task() {
    let begin = Instant::now();
    // EXPECT stall on="stalls" cause=sleep call=nanosleep|clock_nanosleep function=block_in_task
    std::thread::sleep(STALL);
    let length = begin.elapsed().as_secs_f64() * 1e3;
    println!("blocked {} {:.3}", std::process::id(), length);
}

#[inline(never)]
fn wait_in_task() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        std::thread::sleep(STALL);
        sender.send(()).unwrap();
    });
    let begin = Instant::now();
    // EXPECT stall on="waits" cause=wait call=futex function=wait_in_task
    receiver.recv().unwrap();
    let length = begin.elapsed().as_secs_f64() * 1e3;
    println!("blocked {} {:.3}", std::process::id(), length);
    other.join().unwrap();
}

async fn serve(mut server: TcpStream) {
    let mut bytes = [0u8; 64];
    while let Ok(count) = server.read(&mut bytes).await {
        if count == 0 || server.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}

async fn ask(way: String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    tokio::spawn(serve(listener.accept().await.unwrap().0));
    let end = Instant::now() + LENGTH;
    let mut ticks = 0;
    let mut echoes = 0;
    let mut bytes = [0u8; 64];
    while Instant::now() < end {
        // Some of a pool's ticks are long, so that its threads have no work.
        let is_quiet = way == "pool" && ticks % 10 == 9;
        tokio::time::sleep(if is_quiet { STALL } else { TICK }).await;
        client.write_all(b"?").await.unwrap();
        echoes += client.read(&mut bytes).await.unwrap();
        ticks += 1;
        if ticks % 30 == 0 && ticks <= 90 {
            match way.as_str() {
                "stalls" => block_in_task(),
                "waits" => wait_in_task(),
                _ => {}
            }
        }
    }
    println!("echoes {}", echoes);
}

fn runtime(kind: &str) -> Runtime {
    match kind {
        "multi" => Builder::new_multi_thread().worker_threads(4).enable_all().build(),
        _ => Builder::new_current_thread().enable_all().build(),
    }
    .unwrap()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let way = arguments[2].clone();
    let runtime = runtime(&arguments[1]);
    if way == "pool" {
        for _ in 0..24 {
            runtime.spawn_blocking(|| std::thread::sleep(WORK));
        }
    }
    // Several connections keep several workers in turn at the wait for events.
    let connections = if way == "pool" { 4 } else { 1 };
    runtime.block_on(async {
        let asking: Vec<_> = (0..connections).map(|_| tokio::spawn(ask(way.clone()))).collect();
        for each in asking {
            each.await.unwrap();
        }
    });
    runtime.shutdown_background();
}
