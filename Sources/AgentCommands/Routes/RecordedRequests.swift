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
    /// The requests that were seen whole; their order does not matter.
    private(set) var requests: [DescribedRequest] = []
    /// What was left out, and why.
    private(set) var losses = RecordingLosses()
    /// What could not be read, one line each.
    private(set) var damage: [String] = []
    /// Why files may have given less than was meant, one line each.
    private(set) var notices: [String] = []

    /// The most that the requests may take in memory, and about what they take.
    private let memoryLimit: Int
    private var memory = 0
    /// What the JSON of one HAR entry may need.
    private static let entryLimits = RecordingLimits().document

    /// Reads recordings.
    ///
    /// - Parameters:
    ///   - files: pcap files, exchange records, `.gor` files and `.har` files.
    ///   - ports: the Gateway servers' ports that requests without a URL arrived at.
    ///   - configuration: which packets of pcap files are taken, and where the keys of their TLS are.
    ///   - memoryLimit: the most that the requests may take in memory, in octets; `nil` for what the configuration,
    ///     the control group or the machine allows.
    /// - Throws: what cannot be read at all, or is too much.
    init(
        _ files: [String],
        at ports: Ports,
        _ configuration: Configuration,
        memoryLimit: Int? = nil
    ) throws(CommandFailure) {
        self.memoryLimit = memoryLimit ?? MemoryBudget.current(configuration.limits).octets
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
        for entry in loader.recording.entries {
            memory += entry.exchange.octetsInMemory
            try checkMemory(others.joined(separator: ", "))
            add(entry.exchange, at: ports)
        }
        if let loss = loader.recording.entries.loss { throw CommandFailure(.failed, loss) }
    }

    private func checkMemory(_ path: String) throws(CommandFailure) {
        guard memory > memoryLimit else { return }
        throw CommandFailure(
            .usage,
            "\(path): the requests take more than \(ByteSize(memoryLimit)) of memory; compare them in parts"
        )
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

    private mutating func readHAR(_ path: String) throws(CommandFailure) {
        var file = try RecordingFile(path)
        var reader = HAREntries()
        while case let piece = try file.next(), !piece.isEmpty {
            try RecordingLoader.naming(path) { () throws(HARReader.Failure) in try reader.append(piece) }
            for entry in reader.takeEntries() { add(entry) }
            try checkMemory(path)
        }
        try RecordingLoader.naming(path) { () throws(HARReader.Failure) in try reader.finish() }
        for _ in 0..<reader.tooLarge { losses.count(.tooLarge) }
    }

    private mutating func add(_ entry: [UInt8]) {
        guard let value = try? JSONDocument.parse(entry, limits: Self.entryLimits),
            let (request, octets) = Self.request(value["request"])
        else { return losses.count(.malformedRecord) }
        memory += octets
        requests.append(request)
    }

    /// The request of an entry, and about how much memory it takes.
    private static func request(_ value: JSONValue?) -> (DescribedRequest, memory: Int)? {
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
            let request = try RequestLine([method, url], headers: lines)
                .described(port: nil, serverName: nil, namesHost: namesHost)
            // Its texts are there twice, as they were and as octets.
            let octets = lines.reduce(url.utf8.count) { $0 + $1.utf8.count + 128 }
            return (request, 512 + 3 * octets)
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
