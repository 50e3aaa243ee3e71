// Wingmirror · Apache-2.0

import Agent
import AgentConfiguration
import ArgumentParser
import JSONSyntax

/// `tap`: the requests that a running agent sees, as they come.
struct TapCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tap",
        abstract: "Follow the requests that a running agent sees.",
        discussion: """
            An agent keeps a sample of up to 20 requests per second of each kind (routed, failed, with 4xx, unmatched), without \
            credentials; tap prints those for which every condition holds, as they come. At the end it says how many \
            requests there were in all. The status is – where no response came, and ? where the capture missed it.

            Examples:
              wingmirror tap --status 4xx --status 5xx
              wingmirror tap --unmatched --host shop.example.com --output curl
              wingmirror tap --route shop/storefront --slower 1s --output ndjson
            """
    )

    @Option(help: ArgumentHelp("The agent's address.", valueName: "url"))
    var agent = "http://127.0.0.1:9646"

    @OptionGroup var access: AgentAccessOptions

    @Option(
        help: ArgumentHelp("Only requests that this object's rules took, or one of them.", valueName: "object[/rule]")
    )
    var route: String?

    @Flag(help: "Only requests that no route took.")
    var unmatched = false

    @Option(
        parsing: .singleValue,
        help: ArgumentHelp(
            "Only this status, class such as 4xx, none, or unknown (not seen); may be repeated.",
            valueName: "status"
        ),
        completion: .list(["2xx", "3xx", "4xx", "5xx", "none", "unknown"])
    )
    var status: [String] = []

    @Option(help: ArgumentHelp("Only requests for this host, at any port unless one is given.", valueName: "host"))
    var host: String?

    @Option(help: ArgumentHelp("Only paths that begin with this.", valueName: "prefix"))
    var path: String?

    @Option(help: ArgumentHelp("Only this method.", valueName: "method"))
    var method: String?

    @Option(
        help: ArgumentHelp("Only requests of this client, or of a prefix such as 10.0.0.0/8.", valueName: "address")
    )
    var client: String?

    @Option(help: ArgumentHelp("Only requests that took longer, or waited longer in vain.", valueName: "duration"))
    var slower: String?

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("What is printed: table, ndjson (or json) or curl.", valueName: "output"),
        completion: .list(TapPlan.Output.allCases.map(\.rawValue))
    )
    var output = "table"

    @Option(help: ArgumentHelp("End after this many requests.", valueName: "count"))
    var limit: Int?

    mutating func run() async throws {
        try await TapPlan(self).execute()
    }
}

/// What `tap` is to do, when its options have been found to make sense.
struct TapPlan: Sendable {
    /// What is printed of a request.
    enum Output: String, Sendable, CaseIterable {
        /// A line for people.
        case table
        /// The document of the agent's API.
        case ndjson
        /// A command that sends the request again.
        case curl
    }

    /// Where the agent listens.
    let agent: ServerURL
    /// How it is asked.
    let access: AgentAccess
    /// The conditions that the agent holds requests against, as a query without `after`.
    let query: String
    /// The condition on the route, which is held against the answers.
    let route: TapRoute?
    /// What is printed.
    let output: Output
    /// Whether there are conditions on what is printed.
    var isFiltered: Bool { route != nil || query != Self.everything }
    /// The query without a condition.
    private static let everything = "kind=all&limit=512"
    /// After how many requests the command ends; `nil` for never.
    let limit: Int?

    /// Checks the options.
    init(_ command: TapCommand) throws(ConfigurationProblems) {
        var problems: [ConfigurationProblem] = []
        var parameters = [("kind", command.unmatched ? "unmatched" : "all"), ("limit", "512")]
        let conditions = [
            ("host", command.host), ("path", command.path), ("method", command.method), ("client", command.client),
            ("slower", command.slower),
        ]
        for case (let name, let value?) in conditions { parameters.append((name, value)) }
        for status in command.status { parameters.append(("status", status)) }
        query = parameters.map { "\($0)=\($1.percentEncoded)" }.joined(separator: "&")
        let url = ServerURL.agent(command.agent, &problems)
        if let slower = command.slower, Duration(text: slower) == nil {
            problems.append(.option("--slower", "expected a duration such as 1s or 250ms, found \"\(slower)\""))
        }
        if let path = command.path, let refusal = PathPrefix.refusal(of: path) {
            problems.append(.option("--path", refusal))
        }
        if command.host?.isEmpty == true { problems.append(.option("--host", "expected a host, found \"\"")) }
        if let client = command.client, AddressRange(client) == nil {
            problems.append(.option("--client", AddressRange.refusal(of: client)))
        }
        for status in command.status where WantedStatus(status) == nil {
            let message = "expected a status such as 404, a class such as 4xx, none or unknown, found \"\(status)\""
            problems.append(.option("--status", message))
        }
        if command.unmatched, command.route != nil {
            problems.append(.option("--route", "requests that no route took have none; leave out --unmatched or this"))
        }
        route = command.route.map { TapRoute($0) }
        output = OutputName.read(command.output, &problems) ?? .table
        if let limit = command.limit, limit < 1 {
            problems.append(.option("--limit", "expected a number of requests from 1, found \(limit)"))
        }
        limit = command.limit
        access = command.access.read(&problems)
        guard problems.isEmpty, let url else { throw ConfigurationProblems(problems) }
        agent = url
    }
}

/// The routes of which requests are wanted: `namespace/object`, or `namespace/object/rule` with the rule's label or number.
struct TapRoute: Sendable, Equatable {
    private let object: String
    private let rule: String?

    /// The condition as it was given.
    let text: String

    /// Reads the condition; a number may be written `4` or `#4`, and so may the label `#4.1` of a delegate's rule.
    init(_ text: String) {
        self.text = text
        let parts = text.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        object = parts.prefix(2).joined(separator: "/")
        rule = parts.count > 2 ? String(parts[2].hasPrefix("#") ? parts[2].dropFirst() : parts[2]) : nil
    }

    /// Why nothing is to be expected: no rule of a table, as `/api/v1/routes` has it, is one of them; `nil` where one is.
    func absence(in document: JSONValue) -> String? {
        let routes = document["routes"]?.arrayValue ?? []
        var names: [String] = []
        for route in routes {
            let object = route["object"]?.stringValue ?? ""
            let label = route["route"]?.stringValue ?? ""
            let numbers = (route["matches"]?.arrayValue ?? []).compactMap { $0["rule"]?.count }
            let isWanted = numbers.contains { contains(object: object, label: label, number: String($0)) }
            if isWanted || contains(object: object, label: label, number: "") { return nil }
            names += rule == nil ? [object] : [object, "\(object)/\(label)"]
        }
        let similar = names.similar(to: text).map { "; did you mean \($0)?" } ?? ""
        return "no rule of the agent's table is \(text)"
            + (similar.isEmpty ? ", so nothing is shown until there is one" : similar)
    }

    /// Whether the rule of an object is one of them.
    func contains(object: String, label: String, number: String) -> Bool {
        guard object == self.object || object.split(separator: "/").last.map(String.init) == self.object else {
            return false
        }
        guard let rule else { return true }
        return rule == label || "#\(rule)" == label || rule == number
    }
}

extension String {
    /// The text as a value of a query (RFC 3986 section 2.3): all but unreserved octets are percent-encoded.
    var percentEncoded: String {
        var text = ""
        for octet in utf8 {
            let scalar = Unicode.Scalar(octet)
            let isUnreserved =
                ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
                || "-._~".unicodeScalars.contains(scalar)
            if isUnreserved {
                text.unicodeScalars.append(scalar)
            } else {
                let digits = String(octet, radix: 16, uppercase: true)
                text += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return text
    }
}
