// Wingmirror · Apache-2.0
// HTTP Archive, version 1.2, as this program, browsers and proxies write it.

internal import JSONSyntax
internal import OctetText
internal import TrafficModel

/// Reads an HTTP archive whole: an archive is one JSON document, so there is nothing to read before its end.
public enum HARReader {
    /// Why nothing can be read.
    public struct Failure: Error {
        /// The reason, as part of a sentence.
        public let reason: String
    }

    /// The exchanges of an archive.
    ///
    /// - Parameter octets: The whole file.
    /// - Returns: The exchanges, and how many entries gave none.
    /// - Throws: Why the file is no archive.
    public static func recording(_ octets: [UInt8]) throws(Failure) -> Recording {
        var limits = DocumentLimits()
        limits.fileBytes = 2 << 30
        let text = octets.starts(with: [0xEF, 0xBB, 0xBF]) ? Array(octets.dropFirst(3)) : octets
        let document: JSONValue
        do throws(DocumentError) {
            document = try JSONDocument.parse(text, limits: limits)
        } catch {
            throw Failure(reason: "is no whole HAR file: \(error.message)")
        }
        guard case .array(let entries)? = document["log"]?["entries"] else {
            throw Failure(reason: "is no HAR file: log.entries is missing")
        }
        var losses = RecordingLosses()
        var found: [RecordingEntry] = []
        for entry in entries {
            do throws(HAREntry.Problem) {
                found.append(RecordingEntry(exchange: try HAREntry(entry).exchange()))
            } catch {
                losses.count(error.loss)
            }
        }
        return Recording(entries: found, losses: losses)
    }
}

/// One entry of an archive.
private struct HAREntry {
    /// Why an entry gives no exchange.
    struct Problem: Error {
        let loss: RecordingLoss
    }

    private let entry: JSONValue

    init(_ entry: JSONValue) {
        self.entry = entry
    }

    func exchange() throws(Problem) -> RecordedExchange {
        guard case .string(let start)? = entry["startedDateTime"], let time = InternetTime.nanoseconds(start),
            let request = entry["request"], case .string(let method)? = request["method"], !method.isEmpty,
            case .string(let url)? = request["url"], let location = Self.location(url, method: method)
        else { throw Problem(loss: .malformedRecord) }
        var exchange = RecordedExchange(
            request: RecordedRequest(
                method: method,
                target: Array(location.target.utf8),
                message: try requestMessage(request, authority: location.authority)
            ),
            response: try response(),
            startTime: time
        )
        exchange.serverAddress = Self.text(entry["serverIPAddress"])
        if let connection = Int(Self.text(entry["connection"])) { exchange.connection = connection }
        fillTimings(&exchange)
        fillRoute(&exchange)
        if case .array(let marks)? = entry["_integrity"] {
            exchange.integrity = marks.map(Self.text)
        }
        return exchange
    }

    // MARK: - Messages

    /// The target and the authority of a URL (RFC 3986 §3).
    private static func location(_ url: String, method: String) -> (target: String, authority: String)? {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else { return nil }
        let rest = url[colon...].dropFirst(3).prefix { $0 != "#" }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let authority = String(rest[..<end].split(separator: "@").last ?? "")
        guard !authority.isEmpty else { return nil }
        if method == "CONNECT" { return (authority, authority) }
        let path = String(rest[end...])
        // A server as a whole has no path (RFC 9112 §3.2.4).
        if method == "OPTIONS", path.isEmpty { return ("*", authority) }
        return (path.hasPrefix("/") ? path : "/" + path, authority)
    }

    private func requestMessage(_ request: JSONValue, authority: String) throws(Problem) -> RecordedMessage {
        var fields = try Self.fields(of: request)
        if !fields.contains(where: { $0.isNamed("host") }) {
            fields.insert(RecordedField(name: "Host", value: authority), at: 0)
        }
        let size = Self.integer(request["bodySize"]) ?? -1
        guard let post = request["postData"] else {
            guard size <= 0 else { throw Problem(loss: .noContent) }
            return RecordedMessage(fields: fields)
        }
        guard post["_truncated"] != .bool(true), post["_contentEncoding"] == nil else {
            throw Problem(loss: .noContent)
        }
        let content: [UInt8]
        if post["_encoding"] == .string("base64") {
            guard let octets = Base64Text.octets(Self.text(post["_content"]).utf8) else {
                throw Problem(loss: .malformedRecord)
            }
            content = octets
        } else if case .string(let text)? = post["text"] {
            content = Array(text.utf8)
        } else {
            // Parameters without the text do not tell how it was written.
            throw Problem(loss: .noContent)
        }
        fields.removeAll { $0.isNamed("content-encoding") }
        return RecordedMessage(fields: fields, content: content)
    }

    /// The response; `nil` for the status 0, by which tools say that there was none.
    private func response() throws(Problem) -> RecordedResponse? {
        guard let response = entry["response"], let status = Self.integer(response["status"]), status != 0 else {
            return nil
        }
        guard (100...999).contains(status) else { throw Problem(loss: .malformedRecord) }
        var fields = try Self.fields(of: response)
        let object = response["content"]
        var content = Array(Self.text(object?["text"]).utf8)
        if object?["encoding"] == .string("base64") {
            guard let octets = Base64Text.octets(content) else { throw Problem(loss: .malformedRecord) }
            content = octets
        }
        // The text of an archive has its codings off, unless it says which are left.
        if object?["_contentEncoding"] == nil { fields.removeAll { $0.isNamed("content-encoding") } }
        let size = Int64(Self.integer(object?["size"]) ?? content.count)
        // Browsers leave the text out when they no longer have it; then nothing is known of it.
        let isCut = object?["_truncated"] == .bool(true) || content.isEmpty && size > 0
        let octets = isCut ? max(size, Int64(content.count) + 1) : Int64(content.count)
        return RecordedResponse(
            status: status,
            message: RecordedMessage(fields: fields, content: content, contentOctets: octets)
        )
    }

    private static func fields(of message: JSONValue) throws(Problem) -> [RecordedField] {
        guard case .array(let headers)? = message["headers"] else { throw Problem(loss: .noFields) }
        var fields: [RecordedField] = []
        for header in headers {
            guard case .string(let name)? = header["name"], case .string(let value)? = header["value"],
                !name.isEmpty, name.utf8.allSatisfy({ (0x21..<0x7F).contains($0) })
            else { throw Problem(loss: .malformedRecord) }
            // Browsers list the pseudo-header fields of HTTP/2 too.
            if name.hasPrefix(":") { continue }
            guard header["_octetsEscaped"] == .bool(true) else {
                fields.append(RecordedField(name: name, value: value))
                continue
            }
            guard let octets = OctetEscapes.octets(value) else { throw Problem(loss: .malformedRecord) }
            fields.append(RecordedField(name: name, value: octets))
        }
        return fields
    }

    // MARK: - Times and route

    private func fillTimings(_ exchange: inout RecordedExchange) {
        guard let timings = entry["timings"] else { return }
        let send = Self.nanoseconds(timings["send"]) ?? 0
        guard let wait = Self.nanoseconds(timings["wait"]) else { return }
        exchange.requestNanoseconds = send
        exchange.firstByteNanoseconds = send + wait
        exchange.durationNanoseconds = send + wait + (Self.nanoseconds(timings["receive"]) ?? 0)
    }

    private func fillRoute(_ exchange: inout RecordedExchange) {
        guard let route = entry["_route"] else { return }
        exchange.route = RouteName(
            virtualServiceNamespace: Self.text(route["namespace"]),
            virtualService: Self.text(route["virtualService"]),
            route: Self.text(route["route"])
        )
    }

    private static func text(_ value: JSONValue?) -> String {
        if case .string(let text)? = value { text } else { "" }
    }

    private static func integer(_ value: JSONValue?) -> Int? {
        switch value {
        case .integer(let number)?: number
        case .double(let number)?: Int(exactly: number.rounded())
        default: nil
        }
    }

    /// Milliseconds with fractions; `nil` for −1, which says that a phase does not apply.
    private static func nanoseconds(_ value: JSONValue?) -> Int64? {
        let milliseconds: Double
        switch value {
        case .integer(let number)?: milliseconds = Double(number)
        case .double(let number)?: milliseconds = number
        default: return nil
        }
        guard milliseconds >= 0, milliseconds < 1e12 else { return nil }
        return Int64((milliseconds * 1e6).rounded())
    }
}
