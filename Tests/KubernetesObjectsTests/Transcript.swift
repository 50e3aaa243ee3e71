// Wingmirror · Apache-2.0

import FoundationEssentials
import JSONSyntax
import Synchronization
import TestServers

/// What a real API server answered, and how to answer the same again.
struct Transcript: Sendable {
    struct Exchange: Sendable {
        let path: String
        /// The parameters that decide which request it is.
        let parameters: [String: String]
        let isMetadataOnly: Bool
        let acceptsGzip: Bool
        /// The response; `nil` where the connection was refused.
        let response: JSONValue?
    }

    let name: String
    let exchanges: [Exchange]
    let finalState: [(target: String, objects: [JSONValue])]

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().path + "/Fixtures/transcripts"

    /// Parameters that do not decide which request it is, as the README of the transcripts has it.
    static let ignored: Set<String> = ["limit", "timeoutSeconds", "allowWatchBookmarks"]

    init(_ name: String) throws {
        self.name = name
        let data = try Data(contentsOf: URL(filePath: "\(Self.folder)/\(name).json"))
        let value = try JSONDocument.parse([UInt8](data))
        exchanges = (value["exchanges"]?.arrayValue ?? []).map { exchange in
            let (path, parameters) = ReceivedAPIRequest.parts(of: exchange["request"]?["target"]?.stringValue ?? "")
            let fields = (exchange["request"]?["headers"]?.arrayValue ?? []).compactMap(\.arrayValue)
            func contains(_ name: String, _ text: String) -> Bool {
                fields.contains { $0[0].stringValue == name && $0[1].stringValue?.contains(text) == true }
            }
            let response: JSONValue? = exchange["response"].flatMap { if case .null = $0 { nil } else { $0 } }
            return Exchange(
                path: path,
                parameters: parameters.filter { !Self.ignored.contains($0.key) },
                isMetadataOnly: contains("Accept", "PartialObjectMetadata"),
                acceptsGzip: contains("Accept-Encoding", "gzip"),
                response: response
            )
        }
        guard case .object(let states) = value["finalState"] ?? .null else {
            finalState = []
            return
        }
        finalState = states.members.map { ($0.key, $0.value.arrayValue ?? []) }
    }

    /// The names of all transcripts.
    static let names: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted()
        .filter { $0.hasSuffix(".json") }.map { String($0.dropLast(5)) }
}

/// Answers requests out of a transcript.
final class TranscriptReplay: Sendable {
    /// How bodies are cut.
    enum Cut: Sendable {
        /// As the server cut them.
        case asRecorded
        /// A chunk of its own for so many octets.
        case every(Int)
    }

    private let transcript: Transcript
    /// What a recorded millisecond lasts; zero for no waits.
    private let speed: Double
    private let cut: Cut
    private let state = Mutex(State())

    private struct State {
        /// The first exchange not served yet, for each collection.
        var cursors: [String: Int] = [:]
    }

    init(_ transcript: Transcript, speed: Double, cut: Cut) {
        self.transcript = transcript
        self.speed = speed
        self.cut = cut
    }

    func answer(_ request: ReceivedAPIRequest) -> AsyncStream<ServerStep> {
        let accept = request.values(of: "accept").joined()
        let isMetadataOnly = accept.contains("PartialObjectMetadata")
        let parameters = request.parameters.filter { !Transcript.ignored.contains($0.key) }
        let collection =
            "\(request.path) \(parameters["labelSelector"] ?? "") \(parameters["fieldSelector"] ?? "") \(isMetadataOnly)"
        let exchange = state.withLock { state -> Transcript.Exchange? in
            let cursor = state.cursors[collection] ?? 0
            let fitting = transcript.exchanges.indices.filter { index in
                let exchange = transcript.exchanges[index]
                return exchange.path == request.path && exchange.isMetadataOnly == isMetadataOnly
            }
            func fits(_ index: Int) -> Bool { transcript.exchanges[index].parameters == parameters }
            // A client that asks for any version may be given the most recent, and the reverse.
            func nearlyFits(_ index: Int) -> Bool {
                guard parameters["watch"] == nil else { return false }
                let lenient = { (parameters: [String: String]) in
                    parameters.filter { !["resourceVersion", "resourceVersionMatch"].contains($0.key) }
                }
                return lenient(transcript.exchanges[index].parameters) == lenient(parameters)
            }
            let found =
                fitting.first { $0 >= cursor && fits($0) } ?? fitting.first { $0 >= cursor && nearlyFits($0) }
                ?? fitting.last { fits($0) } ?? fitting.last { nearlyFits($0) }
            if let found {
                state.cursors[collection] = max(cursor, found + 1)
                return transcript.exchanges[found]
            }
            // A watch of a version that is not recorded: the server holds it no more, if a list is still to come.
            guard parameters["watch"] != nil, fitting.contains(where: { $0 >= cursor && nearlyLists($0) }) else {
                return nil
            }
            return Self.expired
        }
        guard let exchange else {
            // Nothing more is recorded: the stream stays open and silent.
            return AsyncStream { $0.yield(.octets(AsyncStream<ServerStep>.chunkedHead)) }
        }
        guard let response = exchange.response else { return .steps([.close]) }
        return .steps(steps(response))
    }

    private func nearlyLists(_ index: Int) -> Bool {
        transcript.exchanges[index].parameters["watch"] == nil
    }

    private static let expired = Transcript.Exchange(
        path: "",
        parameters: [:],
        isMetadataOnly: false,
        acceptsGzip: false,
        response: [
            "status": 200, "headers": [["Content-Type", "application/json"], ["Transfer-Encoding", "chunked"]],
            "chunks": [["text": "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n"]], "end": "complete",
        ]
    )

    private func steps(_ response: JSONValue) -> [ServerStep] {
        var head = "HTTP/1.1 \(Int(response["status"]?.numberValue ?? 0)) \(response["reason"]?.stringValue ?? "")\r\n"
        var isChunked = false
        for field in response["headers"]?.arrayValue ?? [] {
            guard let pair = field.arrayValue, let name = pair[0].stringValue, let value = pair[1].stringValue else {
                continue
            }
            isChunked = isChunked || name == "Transfer-Encoding"
            head += "\(name): \(value)\r\n"
        }
        var steps: [ServerStep] = [.octets(Array((head + "\r\n").utf8))]
        var passed = 0.0
        func wait(until milliseconds: Double?) {
            guard speed > 0, let milliseconds, milliseconds > passed else { return }
            steps.append(.wait(.milliseconds(Int64((milliseconds - passed) * speed))))
            passed = milliseconds
        }
        for chunk in response["chunks"]?.arrayValue ?? [] {
            wait(until: chunk["afterMilliseconds"]?.numberValue)
            let octets =
                chunk["text"]?.stringValue.map { Array($0.utf8) }
                ?? chunk["base64"]?.stringValue.flatMap { Data(base64Encoded: $0).map { [UInt8]($0) } } ?? []
            guard isChunked else {
                steps.append(.octets(octets))
                continue
            }
            if let size = chunk["chunkSize"]?.numberValue {
                steps.append(.octets(Array((String(Int(size), radix: 16) + "\r\n").utf8) + octets))
                steps.append(.close)
                return steps
            }
            switch cut {
            case .asRecorded: steps.append(.octets(AsyncStream<ServerStep>.chunk(octets)))
            case .every(let size):
                var wire: [UInt8] = []
                var index = 0
                while index < octets.count {
                    let end = min(index + size, octets.count)
                    wire += AsyncStream<ServerStep>.chunk(Array(octets[index..<end]))
                    index = end
                }
                steps.append(.octets(wire))
            }
        }
        wait(until: response["endAfterMilliseconds"]?.numberValue)
        switch response["end"]?.stringValue {
        case "complete": if isChunked { steps.append(.octets(AsyncStream<ServerStep>.lastChunk)) }
        default: steps.append(.close)
        }
        return steps
    }
}
