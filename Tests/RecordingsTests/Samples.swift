// Wingmirror · Apache-2.0

import Recordings
import TrafficModel

/// Exchanges and files that several tests use.
enum Samples {
    static let separator = "\n\u{1F435}\u{1F648}\u{1F649}\n"
    static let separatorLine = "\u{1F435}\u{1F648}\u{1F649}"

    static func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

    static func fields(_ lines: [(String, String)]) -> [RecordedField] {
        lines.map { RecordedField(name: $0.0, value: $0.1) }
    }

    /// A request and its response, which began 2 ms later and lasted 3 ms.
    static func exchange(
        _ method: String = "GET",
        _ target: String = "/products/1?x=2",
        fields lines: [(String, String)] = [],
        content: [UInt8] = [],
        status: Int = 200,
        responseFields: [(String, String)] = [("Content-Length", "2")],
        responseContent: [UInt8] = Array("ok".utf8),
        at startTime: Int64 = 1_763_870_000_000_000_000,
        integrity: [String] = []
    ) -> RecordedExchange {
        RecordedExchange(
            request: RecordedRequest(
                method: method,
                target: octets(target),
                message: RecordedMessage(
                    fields: fields([("Host", "shop.example.com")] + lines),
                    content: content
                )
            ),
            response: RecordedResponse(
                status: status,
                message: RecordedMessage(fields: fields(responseFields), content: responseContent)
            ),
            clientAddress: "192.0.2.77",
            connection: 17,
            startTime: startTime,
            firstByteNanoseconds: 2_000_000,
            durationNanoseconds: 5_000_000,
            integrity: integrity,
            serverAddress: "10.0.0.1",
            requestNanoseconds: 500_000
        )
    }

    static func redaction(_ replacement: RecordingRedaction.Replacement = .keyedHash) -> RecordingRedaction {
        RecordingRedaction(
            fields: ["authorization", "cookie", "set-cookie", "proxy-authorization"],
            replacement: replacement
        )
    }

    /// Writes exchanges as a `.gor` file.
    static func gor(_ exchanges: [RecordedExchange], key: String = "a key") -> (
        octets: [UInt8], losses: RecordingLosses
    ) {
        var writer = GorWriter(key: RecordingKey(secret: key), redaction: redaction())
        for exchange in exchanges { writer.append(exchange) }
        return (writer.finish(), writer.losses)
    }

    /// Reads a `.gor` file that comes in pieces of `size` octets.
    static func records(
        _ file: [UInt8],
        by size: Int = .max,
        limits: RecordingLimits = RecordingLimits()
    ) -> (records: [GorRecord], losses: RecordingLosses) {
        var reader = GorReader(limits: limits)
        var index = 0
        while index < file.count {
            let end = min(file.count - index, size) + index
            reader.append(Array(file[index..<end]))
            index = end
        }
        reader.finish()
        return (reader.takeRecords(), reader.losses)
    }

    /// Reads a `.gor` file and joins its records.
    static func recording(_ file: [UInt8], by size: Int = .max) -> Recording {
        let (records, losses) = records(file, by: size)
        var joiner = GorJoiner()
        for record in records { joiner.append(record) }
        var recording = joiner.finish()
        recording.losses.add(losses)
        return recording
    }
}

extension GorRecord {
    var request: RecordedRequest? {
        if case .request(let request) = message { request } else { nil }
    }

    var response: RecordedResponse? {
        switch message {
        case .request, .damagedReplay: nil
        case .response(let response), .replayed(let response): response
        }
    }
}
