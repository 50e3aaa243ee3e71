// Wingmirror · Apache-2.0

/// What is known of a TLS connection from its hellos, with or without keys.
public struct TLSSession: Sendable, Hashable {
    /// 0x0301…0x0304; `nil` where the server's hello was not seen.
    public internal(set) var version: UInt16?
    /// The cipher suite's number; `nil` where it is not known.
    public internal(set) var cipherSuite: UInt16?
    /// The name the client asked for (SNI), as it was sent; empty where it asked for none or that is not known.
    public internal(set) var serverName: [UInt8] = []
    /// Whether it is known which name the client asked for, if any: its hello was captured up to there.
    public internal(set) var isServerNameKnown = false
    /// The protocols the client offered (ALPN); empty again where it turns out that nothing can be read.
    public internal(set) var offeredProtocols: [[UInt8]] = []
    /// The protocol the server chose, where it says so in clear: not in TLS 1.3.
    public internal(set) var chosenProtocol: [UInt8] = []

    /// Makes a session of which nothing is known.
    public init() {}

    /// The version as Envoy's logs have it: `TLSv1.3`.
    public var versionName: String? {
        switch version {
        case 0x0300: "SSLv3"
        case 0x0301: "TLSv1"
        case 0x0302: "TLSv1.1"
        case 0x0303: "TLSv1.2"
        case 0x0304: "TLSv1.3"
        default: nil
        }
    }

    /// The cipher suite as Envoy's logs have it: `ECDHE-RSA-AES128-GCM-SHA256`.
    public var cipherSuiteName: String? {
        cipherSuite.map(CipherSuite.name(of:))
    }

    /// The protocol that was agreed on: the server's word, or what the connection was found to carry, where the client
    /// offered that.
    public func agreedProtocol(carrying found: String) -> [UInt8]? {
        if !chosenProtocol.isEmpty { return chosenProtocol }
        let name = Array(found.utf8)
        return offeredProtocols.contains(name) ? name : nil
    }
}

/// The sessions of live connections, by a number that ``StreamSink/connectionSecured(session:slot:)`` gives.
///
/// Shared by the stages of one pipeline, and used on their thread only.
public final class TLSSessions {
    private var sessions: [TLSSession] = []
    private var free: [Int32] = []

    /// Makes an empty list.
    public init() {}

    /// The session of a number that is in use.
    public internal(set) subscript(number: Int32) -> TLSSession {
        get { sessions[Int(number)] }
        set { sessions[Int(number)] = newValue }
    }

    func open() -> Int32 {
        if let number = free.popLast() {
            sessions[Int(number)] = TLSSession()
            return number
        }
        sessions.append(TLSSession())
        return Int32(sessions.count - 1)
    }

    func close(_ number: Int32) {
        free.append(number)
    }
}
