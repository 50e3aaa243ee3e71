// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import JSONSyntax
import OctetText
import RouteAttribution
import ShadowTesting
import TrafficModel

/// An exchange of the agent's API as one line of text.
struct TapLine {
    private let entry: JSONValue

    /// Takes an entry of `/api/v1/exchanges`.
    init(_ entry: JSONValue) {
        self.entry = entry
    }

    /// The object whose rule took the request, as `namespace/name`; `nil` if none did.
    var object: String? {
        guard let route = entry["route"] else { return nil }
        return RouteMembers.objectKeys.lazy.compactMap { route[$0]?.stringValue }.first
    }

    /// The rule, as metrics and every list of routes name it.
    var ruleLabel: String { entry["route"]?["label"]?.stringValue ?? "#\(ruleNumber)" }

    /// The rule's number.
    var ruleNumber: String { entry["route"]?["rule"]?.count.map { String($0) } ?? "" }

    /// The line.
    func text(_ output: TapPlan.Output, _ style: TerminalStyle) -> String {
        switch output {
        case .ndjson: String(decoding: entry.encoded(), as: UTF8.self)
        case .curl: curl
        case .table: row(style)
        }
    }

    // MARK: - For people

    private func row(_ style: TerminalStyle) -> String {
        let request = entry["request"]
        let time = String((entry["startTime"]?.stringValue ?? "").dropFirst(11).prefix(12)).withVisibleControls
        let status = entry["response"]?["status"]?.count
        let timing = entry["timing"]
        let took = HumanUnits.seconds(
            timing?["brokenOffSeconds"]?.numberValue ?? timing?["durationSeconds"]?.numberValue
                ?? timing?["unansweredSeconds"]?.numberValue
        )
        let call = entry["grpcStatus"]?.count.map { "  gRPC \($0)" } ?? ""
        let what =
            request.map { request in
                let authority = request["authority"]?.stringValue ?? ""
                let target = request["target"]?.stringValue ?? ""
                // The target `*` of OPTIONS is no path, nor is that of CONNECT.
                let isPath = authority.isEmpty || target.hasPrefix("/")
                return "\(request["method"]?.stringValue ?? "") \(authority)\(isPath ? "" : " ")\(target)"
            } ?? "(headers not kept)"
        let cause = object.map { "\($0)/\(ruleLabel)" } ?? entry["reason"]?.stringValue ?? ""
        let client = (entry["client"]?.stringValue ?? "").withVisibleControls
        // That the capture missed how it was answered is no failure.
        let isSeen = entry["isAnswerSeen"] != .bool(false)
        let statusWord = isSeen ? status.map { String($0) } ?? "–" : "?"
        let statusText = style.apply(isSeen ? Self.emphasis(status) : .dim, to: statusWord.padded(to: 3))
        let isNarrow = style.width.map { $0 < Self.narrow } ?? false
        let causeWidth = isNarrow ? Self.narrowCause : Self.wideCause
        let causeText = cause.withVisibleControls
        let shownCause = (isNarrow ? causeText.cutInTheMiddle(to: causeWidth) : causeText).padded(to: causeWidth)
        let asked = "\(what.withVisibleControls)\(call)"
        let line = "\(time)  \(statusText)  \(took.padded(to: 8))  \(shownCause)  \(asked)"
        let width = Self.beforeCause + shownCause.displayWidth + 2 + asked.displayWidth + 2 + client.displayWidth
        // What was asked for stays whole; where there is no room for the client it goes, rather than fold the line.
        guard width <= style.width ?? width else { return line }
        return "\(line)  \(style.apply(.dim, to: client))"
    }

    /// Columns of time, status and duration, with what is between and behind them.
    private static let beforeCause = 12 + 2 + 3 + 2 + 8 + 2
    /// A terminal with fewer columns has a narrower column of rules.
    private static let narrow = 120
    private static let narrowCause = 20
    private static let wideCause = 28

    private static func emphasis(_ status: UInt64?) -> TextEmphasis {
        switch status ?? 500 {
        case 500...: .alarm
        case 400...: .warning
        default: .plain
        }
    }

    // MARK: - For a shell

    /// A command that sends the request again, without its content and without what was hidden.
    private var curl: String {
        guard let request = entry["request"], let authority = request["authority"]?.stringValue else {
            return "# the head of exchange \(entry["number"]?.count ?? 0) was not kept"
        }
        let isEscaped = request["octetsEscaped"] == .bool(true)
        var line = CurlLine(method: request["method"]?.stringValue ?? "GET")
        if request["fieldsCut"] == .bool(true) { line.keepAllFields() }
        var hidden: [String] = []
        for field in request["fields"]?.arrayValue ?? [] {
            guard let parts = field.arrayValue, parts.count == 2, let name = parts[0].stringValue,
                let value = parts[1].stringValue
            else {
                continue
            }
            line.keep(field: name)
            switch name.lowercased() {
            case "host", "content-length", "transfer-encoding", "connection", ":authority": continue
            default:
                if name.lowercased() == "accept-encoding" { line.decompress() }
                if value == RedactedValue.text {
                    hidden.append(name)
                } else {
                    line.add(field: name, octets: Self.octets(value, isEscaped))
                }
            }
        }
        let text = line.text(
            scheme: request["scheme"]?.stringValue ?? "http",
            authority: authority,
            octets: Self.octets(request["target"]?.stringValue ?? "/", isEscaped)
        )
        var missing = hidden.isEmpty ? [] : [hidden.joined(separator: ", ").withVisibleControls]
        if let octets = request["contentBytes"]?.count, octets > 0 { missing.append("its body of \(octets) bytes") }
        let note = missing.isEmpty ? "" : "  # without \(missing.joined(separator: ", and "))"
        return text + note
    }

    /// The octets of a text of the API, which escapes those that are no text where it says so.
    private static func octets(_ text: String, _ isEscaped: Bool) -> [UInt8] {
        (isEscaped ? OctetEscapes.octets(text) : nil) ?? Array(text.utf8)
    }
}

extension String {
    /// The text with spaces behind it up to a width in characters.
    fileprivate func padded(to width: Int) -> String {
        count < width ? self + String(repeating: " ", count: width - count) : self
    }
}
