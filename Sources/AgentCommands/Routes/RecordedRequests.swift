// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import Recordings
import RouteAttribution
import ShadowTesting
import TrafficModel

/// The requests of recordings, as a route table takes them.
struct RecordedRequests {
    /// The most octets of one HAR file, which is read as a whole.
    private static let harLimit = 512 << 20

    /// The requests that were seen whole; their order does not matter.
    private(set) var requests: [DescribedRequest] = []
    /// Requests that were not.
    private(set) var leftOut = 0
    /// What could not be read, one line each.
    private(set) var damage: [String] = []

    /// Reads recordings.
    ///
    /// - Parameters:
    ///   - files: pcap files, exchange records, `.gor` files and `.har` files.
    ///   - port: the Gateway server's port that requests without a URL arrived at.
    ///   - filter: which packets of pcap files are taken.
    /// - Throws: what cannot be read at all.
    init(_ files: [String], port: Int, filter: String?) throws(CommandFailure) {
        var others: [String] = []
        for file in files {
            if file.hasSuffix(".har") { try readHAR(file) } else { others.append(file) }
        }
        guard !others.isEmpty else { return }
        let loader = try RecordingLoader(others, filter: filter)
        damage += loader.damage
        requests.reserveCapacity(loader.recording.entries.count)
        for entry in loader.recording.entries { add(entry.exchange, port: port) }
    }

    private mutating func add(_ exchange: RecordedExchange, port: Int) {
        // A head that is whole decides the route; content plays no part.
        guard !exchange.request.method.isEmpty, !exchange.request.target.isEmpty, exchange.isRequestSeenWhole else {
            leftOut += 1
            return
        }
        requests.append(
            DescribedRequest(
                method: exchange.request.method,
                target: exchange.request.targetText,
                authority: exchange.request.authority,
                headers: exchange.request.message.fields.filter { !$0.isNamed("host") }.map {
                    (name: $0.name, value: $0.text)
                },
                port: port
            )
        )
    }

    /// The port that plain requests arrive at, where nobody says: 80, or the only other one.
    static func port(of tables: [RouteTable]) -> Int {
        let ports = Set(tables.flatMap(\.listedHosts).filter { !$0.isTLS }.flatMap(\.serverPorts))
        return ports.contains(80) || ports.count != 1 ? 80 : ports.first ?? 80
    }

    /// Adds the exchanges that a running agent keeps, as its API gives them; a head that was cut is not whole.
    mutating func add(_ document: JSONValue, port: Int) {
        guard case .array(let exchanges)? = document["exchanges"] else { return }
        for exchange in exchanges {
            guard let request = exchange["request"], case .string(let method)? = request["method"],
                case .string(let target)? = request["target"], request["fieldsCut"] != .bool(true)
            else {
                leftOut += 1
                continue
            }
            var authority: String?
            if case .string(let text)? = request["authority"] { authority = text }
            var headers: [(name: String, value: String)] = []
            if case .array(let fields)? = request["fields"] {
                for case .array(let field) in fields {
                    guard field.count == 2, case .string(let name) = field[0], case .string(let value) = field[1],
                        name.lowercased() != "host"
                    else { continue }
                    headers.append((name: name, value: value))
                }
            }
            requests.append(
                DescribedRequest(method: method, target: target, authority: authority, headers: headers, port: port)
            )
        }
    }

    // MARK: - HAR 1.2

    private mutating func readHAR(_ file: String) throws(CommandFailure) {
        let octets: [UInt8]
        do throws(FileContents.Failure) {
            octets = try FileContents.read(file, limit: Self.harLimit)
        } catch {
            throw CommandFailure(.usage, "\(file): \(error.explained)")
        }
        let value: JSONValue
        do throws(DocumentError) {
            value = try JSONDocument.parse(octets)
        } catch {
            throw CommandFailure(.usage, "\(file):\(error.line): \(error.message)")
        }
        guard case .array(let entries)? = value["log"]?["entries"] else {
            throw CommandFailure(.usage, "\(file): is no HAR file: it has no log.entries")
        }
        for entry in entries {
            guard let request = Self.request(entry["request"]) else {
                leftOut += 1
                continue
            }
            requests.append(request)
        }
    }

    private static func request(_ value: JSONValue?) -> DescribedRequest? {
        guard let value, case .string(let method)? = value["method"], case .string(let url)? = value["url"] else {
            return nil
        }
        var lines: [String] = []
        if case .array(let headers)? = value["headers"] {
            for header in headers {
                guard case .string(let name)? = header["name"], case .string(let text)? = header["value"],
                    // Pseudo-header fields of HTTP/2 repeat what the URL says.
                    !name.hasPrefix(":")
                else { continue }
                lines.append("\(name): \(text)")
            }
        }
        do throws(RequestLineError) {
            return try RequestLine([method, url], headers: lines).described(port: nil, serverName: nil)
        } catch {
            return nil
        }
    }
}
