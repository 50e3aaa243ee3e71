// Wingmirror · Apache-2.0

import Foundation
import JSONSyntax
import ResourceFiles
import RouteAttribution
import Testing

/// A case of the conformance data.
struct ConformanceCase: CustomTestStringConvertible, Sendable {
    let name: String
    let environment: RouteEnvironment
    let objects: [JSONValue]
    let refused: Set<String>
    let requests: [JSONValue]

    var testDescription: String { name }

    init(_ value: JSONValue) throws {
        name = try value.text("case")
        objects = value["resources"]?.entries ?? []
        refused = Set((value["rejectedObjects"]?.entries ?? []).compactMap(\.string))
        requests = value["requests"]?.entries ?? []
        var environment = RouteEnvironment()
        environment.holdsWholeCluster = true
        let workload = value["environment"]?["gatewayWorkload"]
        if let namespace = workload?["namespace"]?.string { environment.namespace = namespace }
        if case .object(let labels)? = workload?["labels"] {
            environment.labels = Dictionary(
                uniqueKeysWithValues: labels.members.map { ($0.key, $0.value.string ?? "") }
            )
        }
        if case .integer(let count)? = workload?["numTrustedProxies"] { environment.trustedProxies = count }
        let mesh = value["environment"]?["meshConfig"]
        if let setting = mesh?["pathNormalization"]?.string {
            environment.pathNormalization = try #require(PathNormalization(setting: setting))
        }
        if let exportTo = mesh?["defaultVirtualServiceExportTo"]?.entries {
            environment.defaultVirtualServiceExportTo = exportTo.compactMap(\.string)
        }
        self.environment = environment
    }

    /// The table for a version of the proxy.
    func table(envoyMinor: Int) -> (table: RouteTable, findings: [RouteFinding]) {
        var environment = environment
        environment.envoyVersion = EnvoyVersion(major: 1, minor: envoyMinor)
        return RouteTable.compile(RouteResources(decoding: objects), environment: environment)
    }

    // MARK: Files

    static let folder = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../Fixtures")

    static func topic(_ file: String) throws -> [ConformanceCase] {
        let text = try String(contentsOf: folder.appending(path: "virtualservice/\(file).yaml"), encoding: .utf8)
        return try (YAMLDocuments.parse(text).first?.value["cases"]?.entries ?? []).map(ConformanceCase.init)
    }

    static func random() throws -> [ConformanceCase] {
        let octets = try Data(contentsOf: folder.appending(path: "random/cases.ndjson"))
        return try octets.split(separator: 0x0A).map { try ConformanceCase(JSONDocument.parse(Array($0))) }
    }
}

extension JSONValue {
    var string: String? {
        if case .string(let text) = self { text } else { nil }
    }

    var entries: [JSONValue]? {
        if case .array(let entries) = self { entries } else { nil }
    }

    var number: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }

    func text(_ key: String) throws -> String { try #require(self[key]?.string) }
}
