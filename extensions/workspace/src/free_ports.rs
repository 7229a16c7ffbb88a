//! Ports that nobody else has.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};

use crate::WorkspaceError;

/// Finds ports of this machine that are free, on the loopback address unless another is asked for.
///
/// A port is *held* until it is released or its guard is dropped: it is bound, so no other case, worker or program gets the same one. Only in the
/// moment between [`release`](TcpPort::release) and the start of what takes it can another program come first; what can listen at
/// port 0, or can be handed the [`TcpPort::listener`], needs neither.
#[derive(Debug, Clone, Default)]
pub struct FreePorts;

/// A TCP port that is held. Nobody is answered there: the queue of connections is never looked at.
#[derive(Debug)]
pub struct TcpPort {
    listener: TcpListener,
    address: SocketAddr,
}

/// A UDP port that is held.
#[derive(Debug)]
pub struct UdpPort {
    socket: UdpSocket,
    address: SocketAddr,
}

impl FreePorts {
    /// Holds a free TCP port of the loopback address.
    ///
    /// # Errors
    /// When the system has none left.
    pub fn tcp(&self) -> Result<TcpPort, WorkspaceError> {
        self.tcp_at(Ipv4Addr::LOCALHOST)
    }

    /// Holds a free TCP port of another address of this machine.
    ///
    /// # Errors
    /// When the address is not one of this machine, or the system has no port left.
    pub fn tcp_at(&self, address: impl Into<std::net::IpAddr>) -> Result<TcpPort, WorkspaceError> {
        let failed = |source| WorkspaceError::NoPort {
            kind: "TCP",
            source,
        };
        let listener = TcpListener::bind((address.into(), 0)).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(TcpPort { listener, address })
    }

    /// Holds a free UDP port of the loopback address.
    ///
    /// # Errors
    /// When the system has none left.
    pub fn udp(&self) -> Result<UdpPort, WorkspaceError> {
        let failed = |source| WorkspaceError::NoPort {
            kind: "UDP",
            source,
        };
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(failed)?;
        let address = socket.local_addr().map_err(failed)?;
        Ok(UdpPort { socket, address })
    }
}

impl TcpPort {
    /// Number of the port.
    pub fn number(&self) -> u16 {
        self.address.port()
    }

    /// Address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets the port go and returns its number: the last thing to do before a program is started that listens at it.
    pub fn release(self) -> u16 {
        self.address.port()
    }

    /// The listener itself, for a server in this process.
    pub fn listener(self) -> TcpListener {
        self.listener
    }
}

impl UdpPort {
    /// Number of the port.
    pub fn number(&self) -> u16 {
        self.address.port()
    }

    /// Address and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets the port go and returns its number.
    pub fn release(self) -> u16 {
        self.address.port()
    }

    /// The socket itself, for a server in this process.
    pub fn socket(self) -> UdpSocket {
        self.socket
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn held_ports_are_all_different_and_taken() {
        let held: Vec<_> = (0..50).map(|_| FreePorts.tcp().unwrap()).collect();
        let numbers: BTreeSet<_> = held.iter().map(TcpPort::number).collect();
        assert_eq!(numbers.len(), held.len());
        TcpListener::bind(held[0].address()).unwrap_err();
        let udp = FreePorts.udp().unwrap();
        UdpSocket::bind(udp.address()).unwrap_err();
    }

    #[test]
    fn what_is_held_can_be_handed_over() {
        let listener = FreePorts.tcp().unwrap().listener();
        std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let port = FreePorts.udp().unwrap();
        let number = port.number();
        let socket = port.socket();
        assert_eq!(socket.local_addr().unwrap().port(), number);
        assert_ne!(FreePorts.tcp().unwrap().release(), 0);
        assert_ne!(FreePorts.udp().unwrap().release(), 0);
    }

    #[test]
    fn an_address_of_another_machine_has_no_ports_here() {
        // 192.0.2.0/24 is for documentation and belongs to nobody.
        let error = FreePorts.tcp_at([192, 0, 2, 1]).unwrap_err();
        assert_eq!(error.to_string(), "cannot find a free TCP port");
    }
}
