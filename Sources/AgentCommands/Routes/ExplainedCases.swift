// Wingmirror · Apache-2.0

import Agent
import JSONSyntax
import ResourceFiles
import RouteAttribution

/// A file of cases, each with objects, environment and requests of its own, and their answers.
///
/// A case that cannot be built answers with one line `{case, error}` and does not stop the others.
struct ExplainedCases {
    private let lines: [(number: Int, octets: [UInt8])]
    private let file: String

    init(file: String) throws(CommandFailure) {
        self.file = file
        lines = try ExplainedRequests.lines(of: file)
    }

    /// Writes the answers of all cases.
    func write(to output: inout OctetOutput) throws(OctetOutput.Failure) -> [String] {
        var unanswered: [String] = []
        var scratch = RouteScratch()
        for line in lines {
            var json = JSONText()
            var name = JSONValue.null
            do throws(UnreadableLine) {
                let value = try Self.value(line.octets)
                name = value["case"] ?? .null
                try Self.answer(value, name: name, scratch: &scratch, to: &json)
            } catch {
                unanswered.append("\(file):\(line.number): \(error.reason)")
                json.removeAll()
                json.beginObject()
                json.key("case")
                json.value(name)
                json.key("error")
                json.string(error.reason)
                json.endObject()
                json.endLine()
            }
            try output.append(json.octets)
        }
        return unanswered
    }

    private static func value(_ octets: [UInt8]) throws(UnreadableLine) -> JSONValue {
        do throws(DocumentError) {
            return try JSONDocument.parse(octets)
        } catch {
            throw UnreadableLine(reason: error.message)
        }
    }

    private static func answer(
        _ value: JSONValue,
        name: JSONValue,
        scratch: inout RouteScratch,
        to json: inout JSONText
    ) throws(UnreadableLine) {
        guard case .array(let objects)? = value["resources"], case .array(let requests)? = value["requests"] else {
            throw UnreadableLine(reason: "a case must have the lists resources and requests")
        }
        let environment = try CaseEnvironment(value["environment"] ?? .null).environment
        let (table, _) = RouteTable.compile(RouteResources(decoding: objects), environment: environment)
        for request in requests {
            do throws(ResourceError) {
                // The requests of a case name the port that packets bear.
                let described = try DescribedRequest(request, isPodPort: true)
                let explanation = table.explain(described, scratch: &scratch)
                table.write(explanation, id: described.id, caseID: name, to: &json)
                json.endLine()
            } catch {
                throw UnreadableLine(
                    reason: "request \(JSONText.text(of: request["id"] ?? .null)): \(error.path) \(error.message)"
                )
            }
        }
    }
}

/// The environment of a case, in the words of the conformance data.
struct CaseEnvironment {
    private(set) var environment = RouteEnvironment()

    init(_ value: JSONValue) throws(UnreadableLine) {
        // The objects of a case are those of its whole cluster.
        environment.holdsWholeCluster = true
        let workload = value["gatewayWorkload"]
        if let namespace = try Self.string(workload?["namespace"], "gatewayWorkload.namespace") {
            environment.namespace = namespace
        }
        if case .object(let labels)? = workload?["labels"] {
            environment.labels = [:]
            for label in labels.members {
                environment.labels[label.key] = try Self.string(label.value, "gatewayWorkload.labels") ?? ""
            }
        }
        if case .integer(let count)? = workload?["numTrustedProxies"] { environment.trustedProxies = count }
        let mesh = value["meshConfig"]
        if let setting = try Self.string(mesh?["pathNormalization"], "meshConfig.pathNormalization") {
            guard let normalization = PathNormalization(setting: setting) else {
                throw UnreadableLine(reason: "meshConfig.pathNormalization: unknown setting \(setting)")
            }
            environment.pathNormalization = normalization
        }
        if case .array(let exportTo)? = mesh?["defaultVirtualServiceExportTo"] {
            environment.defaultVirtualServiceExportTo = []
            for entry in exportTo {
                let name = try Self.string(entry, "meshConfig.defaultVirtualServiceExportTo") ?? ""
                environment.defaultVirtualServiceExportTo.append(name)
            }
        }
        if let text = try Self.string(value["envoyVersion"], "envoyVersion") {
            guard let version = EnvoyVersion(text) else {
                throw UnreadableLine(reason: "envoyVersion: no version: \(text)")
            }
            environment.envoyVersion = version
        }
    }

    private static func string(_ value: JSONValue?, _ path: String) throws(UnreadableLine) -> String? {
        switch value {
        case nil, .null: return nil
        case .string(let text): return text
        case let other?: throw UnreadableLine(reason: "\(path) must be a string, not \(other.typeName)")
        }
    }
}
