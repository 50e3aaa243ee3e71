// Wingmirror · Apache-2.0
// Exchange records: the guide Records.

internal import JSONSyntax
import OctetText
internal import TrafficModel

/// One exchange record, parsed.
struct RecordLine {
    /// Why a line gives no exchange.
    struct Problem: Error {
        var loss: RecordingLoss
        var reason: String
    }

    private let record: JSONValue

    init(_ octets: [UInt8], _ limits: RecordingLimits) throws(Problem) {
        do throws(DocumentError) {
            record = try JSONDocument.parse(octets, limits: limits.document)
        } catch {
            throw Problem(loss: .malformedRecord, reason: error.message)
        }
        guard case .object = record else {
            throw Problem(loss: .malformedRecord, reason: "expected a record, found \(record.typeName)")
        }
    }

    /// The exchange that the record tells of.
    ///
    /// - Parameter needsContent: Whether all of the request's content must be there.
    /// - Returns: The exchange.
    /// - Throws: Why there is none.
    func exchange(needsContent: Bool = true) throws(Problem) -> RecordedExchange {
        guard let request = try object("request", of: record) else {
            throw Problem(loss: .noRequest, reason: "request is null: it was not seen")
        }
        guard case .string(let start)? = record["startTime"], start.hasSuffix("Z"),
            let startTime = InternetTime.nanoseconds(start)
        else {
            throw Self.malformed("startTime must be a time such as 2026-11-23T04:06:00.123456Z")
        }
        let integrity = try texts(record["integrity"], "integrity")
        let timing = record["timing"]
        var exchange = RecordedExchange(
            request: try self.request(request, needsContent: needsContent),
            response: try response(),
            route: route,
            startTime: startTime,
            firstByteNanoseconds: Self.nanoseconds(timing?["responseFirstByteSeconds"]),
            durationNanoseconds: Self.nanoseconds(timing?["durationSeconds"]),
            integrity: integrity
        )
        exchange.clientAddress = address("client")
        exchange.serverAddress = address("server")
        exchange.serverPort = port("server")
        if case .integer(let connection)? = record["connection"] { exchange.connection = connection }
        if case .string(let version)? = record["protocol"] { exchange.protocolVersion = version }
        exchange.isRequestEnded = exchange.request.announces(
            contentOctets: exchange.request.message.contentOctets,
            in: exchange.protocolVersion
        )
        exchange.isSecured = request["scheme"] == .string("https")
        exchange.serverName = record["tls"]?["sni"]?.stringValue
        return exchange
    }

    private static func malformed(_ reason: String) -> Problem { Problem(loss: .malformedRecord, reason: reason) }

    // MARK: - Messages

    private func request(_ object: JSONValue, needsContent: Bool) throws(Problem) -> RecordedRequest {
        guard case .string(let method)? = object["method"], !method.isEmpty,
            case .string(let targetText)? = object["target"]
        else { throw Self.malformed("request must have method and target") }
        let target = try octets(targetText, of: object, "request")
        guard var fields = try fields(of: object, "request") else {
            throw Problem(loss: .noFields, reason: "request has no fields; record with --fields")
        }
        // HTTP/2 has it in a pseudo-header field, which is not among the fields.
        if case .string(let authority)? = object["authority"], !fields.contains(where: { $0.isNamed("host") }) {
            fields.insert(RecordedField(name: "Host", value: try octets(authority, of: object, "request")), at: 0)
        }
        let message = try message(object, fields, "request")
        guard message.contentIsWhole || !needsContent else {
            let reason =
                "request has \(message.contentOctets) bytes of content, and \(message.content.count) are recorded"
            throw Problem(loss: .noContent, reason: reason + "; record with a larger --content")
        }
        return RecordedRequest(method: method, target: target, message: message)
    }

    private func response() throws(Problem) -> RecordedResponse? {
        guard let object = try object("response", of: record) else { return nil }
        guard case .integer(let status)? = object["status"], (100...999).contains(status) else {
            throw Self.malformed("response.status must be a status code")
        }
        let fields = try fields(of: object, "response") ?? []
        return RecordedResponse(status: status, message: try message(object, fields, "response"))
    }

    private func message(
        _ object: JSONValue,
        _ fields: [RecordedField],
        _ name: String
    ) throws(Problem) -> RecordedMessage {
        guard case .integer(let contentBytes)? = object["contentBytes"], contentBytes >= 0 else {
            throw Self.malformed("\(name).contentBytes must be a number of bytes")
        }
        var content: [UInt8] = []
        switch object["content"] {
        case nil: break
        case .string(let text)?:
            guard let octets = Base64Text.octets(text.utf8) else {
                throw Self.malformed("\(name).content must be base64")
            }
            content = octets
        case .some: throw Self.malformed("\(name).content must be base64")
        }
        guard content.count <= contentBytes else {
            throw Self.malformed("\(name).content is longer than contentBytes says")
        }
        return RecordedMessage(fields: fields, content: content, contentOctets: Int64(contentBytes))
    }

    private func fields(of object: JSONValue, _ name: String) throws(Problem) -> [RecordedField]? {
        guard let value = object["fields"] else { return nil }
        let problem = Self.malformed("\(name).fields must be a list of names and values")
        guard case .array(let entries) = value else { throw problem }
        var fields: [RecordedField] = []
        for entry in entries {
            guard case .array(let pair) = entry, pair.count == 2, case .string(let name) = pair[0],
                case .string(let value) = pair[1], !name.isEmpty, name.utf8.allSatisfy({ (0x21..<0x7F).contains($0) })
            else { throw problem }
            fields.append(RecordedField(name: name, value: try octets(value, of: object, "a field")))
        }
        return fields
    }

    // MARK: - Parts

    /// The octets that a string of a message stands for; see `OctetEscapes`.
    private func octets(_ text: String, of message: JSONValue, _ name: String) throws(Problem) -> [UInt8] {
        guard message["octetsEscaped"] == .bool(true) else { return Array(text.utf8) }
        guard let octets = OctetEscapes.octets(text) else {
            throw Self.malformed("\(name) has a backslash that begins no escape, though octetsEscaped is true")
        }
        return octets
    }

    /// A member that is an object; `nil` when it is missing or null.
    private func object(_ name: String, of value: JSONValue) throws(Problem) -> JSONValue? {
        switch value[name] {
        case nil, .null?: return nil
        case .object?: return value[name]
        case .some(let other): throw Self.malformed("\(name) must be an object or null, found \(other.typeName)")
        }
    }

    private func texts(_ value: JSONValue?, _ name: String) throws(Problem) -> [String] {
        guard case .array(let entries)? = value else { throw Self.malformed("\(name) must be a list") }
        var texts: [String] = []
        for entry in entries {
            guard case .string(let text) = entry else { throw Self.malformed("\(name) must be a list of words") }
            texts.append(text)
        }
        return texts
    }

    /// The address of an end, without its port and brackets.
    private func address(_ name: String) -> String {
        guard case .string(let text)? = record[name], let colon = text.lastIndex(of: ":") else { return "" }
        let address = text[..<colon]
        return String(address.hasPrefix("[") ? address.dropFirst().dropLast() : address)
    }

    /// The port of an end; 0 without one.
    private func port(_ name: String) -> Int {
        guard case .string(let text)? = record[name], let colon = text.lastIndex(of: ":") else { return 0 }
        return UInt16(text[text.index(after: colon)...]).map(Int.init) ?? 0
    }

    private var route: RouteName {
        guard let route = record["route"], case .string(let object)? = route["virtualService"] else {
            return RouteName()
        }
        let parts = object.split(separator: "/", maxSplits: 1)
        guard parts.count == 2 else { return RouteName() }
        var name = ""
        if case .string(let routeName)? = route["routeName"] { name = routeName }
        if name.isEmpty, case .integer(let rule)? = route["rule"] { name = "#\(rule)" }
        return RouteName(virtualServiceNamespace: String(parts[0]), virtualService: String(parts[1]), route: name)
    }

    private static func nanoseconds(_ value: JSONValue?) -> Int64? {
        let seconds: Double
        switch value {
        case .integer(let number)?: seconds = Double(number)
        case .double(let number)?: seconds = number
        default: return nil
        }
        guard seconds >= 0, seconds < 9_000_000_000 else { return nil }
        return Int64((seconds * 1_000_000_000).rounded())
    }
}
