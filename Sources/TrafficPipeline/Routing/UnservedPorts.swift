// Wingmirror · Apache-2.0

/// A port on which no Gateway listens, and the requests that came to it.
public struct UnservedPort: Sendable, Hashable {
    /// The port, as packets have it.
    public let port: UInt16
    /// The requests.
    public internal(set) var requests = 0

    /// Names a port.
    init(_ port: UInt16) { self.port = port }
}

/// Counts requests to ports on which no Gateway listens, by port.
///
/// Where no request comes to another one, the gateway's port is not the one that the configuration has.
struct UnservedPorts {
    /// How many ports are told apart: more than a gateway has, and few enough to be searched with each request.
    private static let limit = 16
    /// How much time passes between two reports at least, in nanoseconds.
    private static let reportInterval: Int64 = 1_000_000_000

    private var ports: [UnservedPort] = []
    private var reportedAt: Int64?
    private var hasChanged = false
    /// The ports, the one with the most requests first, as of the latest report.
    private(set) var report: [UnservedPort] = []

    /// A request came to a port on which no Gateway listens.
    ///
    /// A port beyond the limit takes the place of one with a single request, so that a scan of ports passes through one place and
    /// hides none that is asked again; where there is no such port, nothing is kept of it.
    mutating func requestArrived(at port: UInt16) {
        if let place = ports.firstIndex(where: { $0.port == port }) {
            ports[place].requests += 1
        } else if ports.count < Self.limit {
            ports.append(UnservedPort(port))
            ports[ports.count - 1].requests = 1
        } else if let place = ports.lastIndex(where: { $0.requests == 1 }) {
            ports[place] = UnservedPort(port)
            ports[place].requests = 1
        } else {
            return
        }
        hasChanged = true
    }

    /// Renews the report, if the last is some time ago.
    mutating func batchEnded(at time: Int64) {
        // A clock may be set back; of times too far apart for a difference, the later report will do.
        guard hasChanged, reportedAt.map({ time < $0 || time &- $0 >= Self.reportInterval }) ?? true else { return }
        reportedAt = time
        makeReport()
    }

    /// Renews the report for the last time.
    mutating func captureEnded() {
        if hasChanged { makeReport() }
    }

    private mutating func makeReport() {
        hasChanged = false
        report = ports.inOrder
    }
}

extension [UnservedPort] {
    /// The port with the most requests first, and of equal ones the lower.
    var inOrder: [UnservedPort] { sorted { ($1.requests, $0.port) < ($0.requests, $1.port) } }
}
