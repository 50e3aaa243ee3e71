// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import OctetText
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
    /// What was left out, and why.
    private(set) var losses = RecordingLosses()
    /// What could not be read, one line each.
    private(set) var damage: [String] = []
    /// Why files may have given less than was meant, one line each.
    private(set) var notices: [String] = []

    /// Reads recordings.
    ///
    /// - Parameters:
    ///   - files: pcap files, exchange records, `.gor` files and `.har` files.
    ///   - ports: the Gateway servers' ports that requests without a URL arrived at.
    ///   - configuration: which packets of pcap files are taken, and where the keys of their TLS are.
    /// - Throws: what cannot be read at all.
    init(_ files: [String], at ports: Ports, _ configuration: Configuration) throws(CommandFailure) {
        var others: [String] = []
        for file in files {
            if file.hasSuffix(".har") { try readHAR(file) } else { others.append(file) }
        }
        guard !others.isEmpty else { return }
        let loader = try RecordingLoader(others, configuration, needsContent: false)
        damage += loader.damage
        notices += loader.notices
        losses.add(loader.recording.losses)
        requests.reserveCapacity(loader.recording.entries.count)
        for entry in loader.recording.entries { add(entry.exchange, at: ports) }
    }

    private mutating func add(_ exchange: RecordedExchange, at ports: Ports) {
        // A head that is whole decides the route; content plays no part.
        guard !exchange.request.method.isEmpty, !exchange.request.target.isEmpty, exchange.isRequestUnbroken else {
            return losses.count(.notWhole)
        }
        let authority = exchange.request.authority
        requests.append(
            DescribedRequest(
                method: exchange.request.method,
                target: exchange.request.targetText,
                authority: authority,
                headers: exchange.request.message.fields.filter { !$0.isNamed("host") }.map {
                    (name: $0.name, value: $0.text)
                },
                port: exchange.isSecured ? ports.secured : ports.plain,
                isTLS: exchange.isSecured,
                // Where the TLS hello is not known: nearly all clients ask there for the host they mean.
                serverName: exchange.isSecured
                    ? exchange.serverName ?? authority.map { RequestLine.split($0).host } : nil,
                isHTTP10: exchange.protocolVersion == "HTTP/1.0"
            )
        )
    }

    /// The ports of Gateway servers that recorded requests arrived at.
    struct Ports {
        /// That of plain requests.
        var plain = 80
        /// That of requests inside TLS.
        var secured = 443

        /// Those that `--port` names, or else 80 and 443, or the only other one of the tables.
        init(_ port: Int?, of tables: [RouteTable]) {
            let hosts = tables.flatMap(\.listedHosts)
            func likely(_ usual: Int, isTLS: Bool) -> Int {
                let ports = Set(hosts.filter { $0.isTLS == isTLS }.flatMap(\.serverPorts))
                return ports.contains(usual) || ports.count != 1 ? usual : ports.first ?? usual
            }
            plain = port ?? likely(80, isTLS: false)
            secured = port ?? likely(443, isTLS: true)
        }
    }

    /// Adds the exchanges that a running agent keeps, as its API gives them; a head that was cut is not whole.
    mutating func add(_ document: JSONValue, at ports: Ports) {
        guard case .array(let exchanges)? = document["exchanges"] else { return }
        for exchange in exchanges {
            guard let request = exchange["request"]?.withoutEscapes, case .string(let method)? = request["method"],
                case .string(let target)? = request["target"], request["fieldsCut"] != .bool(true)
            else {
                losses.count(.notWhole)
                continue
            }
            let isTLS = request["scheme"] == .string("https")
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
            let host = authority.map { RequestLine.split($0).host }
            requests.append(
                DescribedRequest(
                    method: method,
                    target: target,
                    authority: authority,
                    headers: headers,
                    port: isTLS ? ports.secured : ports.plain,
                    isTLS: isTLS,
                    serverName: isTLS ? exchange["tls"]?["sni"]?.stringValue ?? host : nil,
                    isHTTP10: exchange["protocol"] == .string("HTTP/1.0")
                )
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
                losses.count(.malformedRecord)
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
        var isOld = false
        if case .string(let version)? = value["httpVersion"] { isOld = version.uppercased().hasPrefix("HTTP/1") }
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
            // A client of HTTP/1 that sent headers and no Host named no host, whatever the URL was made of.
            let namesHost = !isOld || lines.isEmpty || lines.contains { $0.lowercased().hasPrefix("host:") }
            return try RequestLine([method, url], headers: lines)
                .described(port: nil, serverName: nil, namesHost: namesHost)
        } catch {
            return nil
        }
    }
}

extension JSONValue {
    /// A message of the agent's API with the texts that its escapes stand for, what is no UTF-8 as replacement characters.
    fileprivate var withoutEscapes: JSONValue {
        self["octetsEscaped"] == .bool(true) ? unescaped : self
    }

    private var unescaped: JSONValue {
        switch self {
        case .string(let text):
            .string(OctetEscapes.octets(text).map { String(decoding: $0, as: UTF8.self) } ?? text)
        case .array(let values): .array(values.map(\.unescaped))
        case .object(let object):
            .object(JSONObject(Dictionary(uniqueKeysWithValues: object.members.map { ($0.key, $0.value.unescaped) })))
        default: self
        }
    }
}
