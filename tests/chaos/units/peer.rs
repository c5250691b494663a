//! Connections of this process, looked for in the kernel's list.

use std::net::{TcpListener, TcpStream};

use crate::chaos::peer::holder;

#[test]
fn the_holder_of_a_connection_is_found_among_the_processes_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (peer, own) = (stream.local_addr().unwrap(), stream.peer_addr().unwrap());
    let me = std::process::id();
    assert_eq!(holder(peer, own, &[1, me]), Some(me));
    assert_eq!(holder(peer, own, &[1]), None);
    drop(stream);
    assert_eq!(holder(own, own, &[me]), None);
}
