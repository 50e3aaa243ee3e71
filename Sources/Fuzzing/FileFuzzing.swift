// Wingmirror · Apache-2.0

import JSONSyntax
import PacketCapture
import PacketDecoding
import Recordings
import Redaction
import ResourceFiles
import RouteAttribution
import TLSDecryption
import TrafficModel

/// Inputs that stand for files.
enum FileFuzzing {
    // MARK: - Keys and captures

    static func keyLog(_ octets: [UInt8]) {
        let store = KeyStore()
        var reader = KeyLogReader(into: store)
        for part in thirds(of: octets) { reader.octetsArrived(part.span) }
        reader.ended()
    }

    static func savefile(_ octets: [UInt8]) {
        guard let path = MemoryFile.path(holding: octets) else { return }
        do {
            var reader = try SavefileReader(path: path, secrets: { _ in })
            while let packet = try reader.next() {
                precondition(packet.wireLength >= 0)
                _ = reader.octets.count
            }
        } catch {
            precondition(!error.sentence.isEmpty)
        }
    }

    // MARK: - Objects

    static func yaml(_ octets: [UInt8]) {
        guard let documents = try? YAMLDocuments.parse(String(decoding: octets, as: UTF8.self)) else { return }
        compile(documents.map(\.value))
    }

    static func json(_ octets: [UInt8]) {
        let value: JSONValue
        do throws(DocumentError) {
            value = try JSONDocument.parse(octets)
        } catch {
            precondition(error.line > 0 && !error.message.isEmpty)
            return
        }
        precondition((try? JSONDocument.parse(value.encoded())) == value, "what was written is read as something else")
        compile([value])
    }

    private static func compile(_ objects: [JSONValue]) {
        let compiled = RouteTable.compile(RouteResources(decoding: objects), environment: RouteEnvironment())
        precondition(compiled.findings.allSatisfy { !$0.message.isEmpty })
    }

    // MARK: - Recordings

    static func gor(_ octets: [UInt8]) {
        var reader = GorReader(limits: limits)
        var joiner = GorJoiner(limits: limits)
        for part in thirds(of: octets) {
            reader.append(part)
            for record in reader.takeRecords() { joiner.append(record) }
        }
        reader.finish()
        for record in reader.takeRecords() { joiner.append(record) }
        write(joiner.finish().entries.map(\.exchange))
    }

    static func har(_ octets: [UInt8]) {
        do {
            write(try HARReader.recording(octets).entries.map(\.exchange))
        } catch {
            precondition(!error.reason.isEmpty)
        }
    }

    static func records(_ octets: [UInt8]) {
        var reader = NDJSONRecordReader(limits: limits)
        for part in thirds(of: octets) { reader.append(part) }
        reader.finish()
        write(reader.takeExchanges())
    }

    private static let limits = {
        var limits = RecordingLimits()
        limits.recordOctets = 32 << 10
        return limits
    }()

    /// Writes exchanges in both formats; what was written is read again.
    private static func write(_ exchanges: [RecordedExchange]) {
        guard !exchanges.isEmpty else { return }
        let key = RecordingKey(secret: "fuzzing")
        let redaction = RecordingRedaction(fields: ["authorization"])
        var archive = HARWriter(creatorVersion: "0", key: key, redaction: redaction)
        var recording = GorWriter(key: key, redaction: redaction)
        for exchange in exchanges {
            archive.append(exchange)
            recording.append(exchange)
        }
        let written = archive.finish()
        precondition((try? HARReader.recording(written)) != nil, "an archive of ours cannot be read")
        _ = recording.finish()
    }

    // MARK: - Redaction

    /// An octet that says what is redacted, then that.
    static func redaction(_ input: inout FuzzInput) {
        var rules = RedactionRules()
        rules.hashedParameters = ["user"]
        rules.hashedContent = ["user.email", "items[].id"]
        rules.hashesCredentialMembers = true
        let values = ValueRedaction(key: RedactionKey(high: 1, low: 2))
        let parameters = ParameterRedaction(rules, values: values)
        var redactions = 0
        let kind = input.octet()
        let octets = Array(input.rest)
        switch kind & 7 {
        case 0: _ = parameters.redacted(target: octets, redactions: &redactions)
        case 1:
            _ = parameters.redacted(links: octets, redactions: &redactions)
            _ = parameters.redacted(forwarded: octets, redactions: &redactions)
            _ = parameters.redacted(field: octets, redactions: &redactions)
        case 2: _ = parameters.redacted(query: octets, credentials: .hashed, redactions: &redactions)
        case 3:
            _ = ShownRequest.redacted(url: octets) + ShownRequest.redacted(authority: octets)
            for name in ["forwarded", "link", "x-note"] { _ = ShownRequest.redacted(field: name, octets) }
            for type in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"] {
                var replacement = CredentialReplacement { _ in Array("R".utf8) }
                let shown = replacement.redacted(content: octets, contentType: type, isCoded: false)
                precondition(shown.count == octets.count, "what stands for a value has another length")
            }
        default:
            let types = [
                "application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b",
                "multipart/form-data; boundary=\"a b\"",
            ]
            let type = RecordedField(name: "content-type", value: Array(types[Int(kind & 3)].utf8))
            let message = RecordedMessage(fields: [type], content: octets)
            _ = try? ContentRedaction(rules, values: values).redacted(message, redactions: &redactions)
        }
        precondition(redactions >= 0)
    }

    private static func thirds(of octets: [UInt8]) -> [[UInt8]] {
        let third = octets.count / 3
        return [Array(octets[..<third]), Array(octets[third..<2 * third]), Array(octets[(2 * third)...])]
    }
}
