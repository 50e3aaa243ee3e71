// Wingmirror · Apache-2.0

import Agent
import JSONSyntax
import RouteAttribution

/// Findings as text, for people, for programs and for code scanners.
struct FindingReport {
    private let findings: [RouteFinding]

    /// Puts the gravest first; findings of one severity keep their order.
    init(_ findings: [RouteFinding]) {
        self.findings = RouteFinding.Severity.allCases.flatMap { severity in
            findings.filter { $0.severity == severity }
        }
    }

    /// Whether the check has failed.
    func fails(strict: Bool) -> Bool {
        findings.contains { $0.severity == .error || (strict && $0.severity == .warning) }
    }

    // MARK: - For people

    /// One line for each finding, and a line that counts them.
    func lines(_ style: TerminalStyle) -> [String] {
        let lines = findings.map { finding in
            let severity = style.apply(Self.emphasis(finding.severity), to: finding.severity.rawValue)
            let place = finding.location.map { "\($0): " } ?? ""
            // Whoever writes objects chooses their names.
            let line = finding.line.withVisibleControls
            return "\(place.withVisibleControls)\(severity) [\(finding.code.rawValue)] \(line)"
        }
        let counts = RouteFinding.Severity.allCases.map { severity in
            let count = findings.count { $0.severity == severity }
            return "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
        }
        return lines + [counts.joined(separator: ", ")]
    }

    private static func emphasis(_ severity: RouteFinding.Severity) -> TextEmphasis {
        switch severity {
        case .error: .alarm
        case .warning: .warning
        case .note: .dim
        }
    }

    // MARK: - For programs

    /// One object `{object, severity, code, message, path, file, line}` a line; without the last two where they are unknown.
    var ndjson: [UInt8] {
        var json = JSONText()
        for finding in findings {
            json.beginObject()
            for (key, value) in [
                ("object", finding.object.description), ("severity", finding.severity.rawValue),
                ("code", finding.code.rawValue), ("message", finding.message), ("path", finding.path),
            ] {
                json.key(named: key)
                json.string(value)
            }
            if let location = finding.location {
                json.member("file", location.file)
                json.key("line")
                json.integer(location.line)
            }
            json.endObject()
            json.endLine()
        }
        return json.octets
    }

    /// A log of the Static Analysis Results Interchange Format, version 2.1.0.
    var sarif: [UInt8] {
        var json = JSONText()
        json.beginObject()
        json.member("$schema", "https://json.schemastore.org/sarif-2.1.0.json")
        json.member("version", "2.1.0")
        json.key("runs")
        json.beginList()
        json.beginObject()
        writeTool(to: &json)
        json.key("results")
        json.beginList()
        for finding in findings { write(finding, to: &json) }
        json.endList()
        json.endObject()
        json.endList()
        json.endObject()
        json.endLine()
        return json.octets
    }

    private func writeTool(to json: inout JSONText) {
        json.key("tool")
        json.beginObject()
        json.key("driver")
        json.beginObject()
        json.member("name", "wingmirror routes check")
        json.key("rules")
        json.beginList()
        for code in FindingCode.allCases where findings.contains(where: { $0.code == code }) {
            json.beginObject()
            json.member("id", code.rawValue)
            json.endObject()
        }
        json.endList()
        json.endObject()
        json.endObject()
    }

    private func write(_ finding: RouteFinding, to json: inout JSONText) {
        json.beginObject()
        json.member("ruleId", finding.code.rawValue)
        json.member("level", finding.severity.rawValue)
        json.key("message")
        json.beginObject()
        json.member("text", "\(finding.object): \(finding.message)")
        json.endObject()
        json.key("locations")
        json.beginList()
        json.beginObject()
        if let location = finding.location, location.file != "-" { write(location, to: &json) }
        json.key("logicalLocations")
        json.beginList()
        json.beginObject()
        let place = finding.path.isEmpty ? "" : " \(finding.path)"
        json.member("fullyQualifiedName", "\(finding.object)\(place)")
        json.endObject()
        json.endList()
        json.endObject()
        json.endList()
        json.endObject()
    }
}

extension FindingReport {
    /// Writes where a scanner shows the finding: a relative path with forward slashes, and a line.
    private func write(_ location: ObjectLocation, to json: inout JSONText) {
        json.key("physicalLocation")
        json.beginObject()
        json.key("artifactLocation")
        json.beginObject()
        json.member("uri", Self.uri(location.file))
        json.endObject()
        json.key("region")
        json.beginObject()
        json.key("startLine")
        json.integer(location.line)
        json.endObject()
        json.endObject()
    }

    /// A path as a URI reference: octets that a URI must not hold are percent-encoded.
    private static func uri(_ path: String) -> String {
        var text = path.hasPrefix("./") ? path.dropFirst(2) : path[...]
        while text.hasPrefix("/./") { text = text.dropFirst(2) }
        var result = ""
        for octet in text.utf8 {
            switch octet {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                result.unicodeScalars.append(Unicode.Scalar(octet))
            default:
                let digits = String(octet, radix: 16, uppercase: true)
                result += "%" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return result
    }
}

extension JSONText {
    /// Writes a member whose value is a string.
    fileprivate mutating func member(_ name: String, _ value: String) {
        key(named: name)
        string(value)
    }
}
