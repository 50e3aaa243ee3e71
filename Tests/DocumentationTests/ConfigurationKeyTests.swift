// Wingmirror · Apache-2.0

import AgentConfiguration
import JSONSyntax
import ShadowTesting
import Testing

/// Every key of the configuration is in its page, or for the policies of mirroring in the guide.
@Suite struct ConfigurationKeyTests {
    private static let folder = "Sources/AgentCommands/Documentation.docc"
    /// Sections whose members are named by whoever writes the file.
    private static let maps: Set = ["gateway.labels", "gateway.ports", "mirror.policies.match.fields"]

    /// The paths of all keys, without the names of targets.
    private static func keys(_ value: JSONValue, _ path: String = "") -> [String] {
        switch value {
        case .object(let object) where path == "mirror.targets": object.members.flatMap { keys($0.value, path) }
        case .object(let object) where !object.members.isEmpty && !maps.contains(path):
            object.members.flatMap { keys($0.value, path.isEmpty ? $0.key : "\(path).\($0.key)") }
        case .array(let elements) where path == "mirror.policies": elements.flatMap { keys($0, path) }
        default: [path]
        }
    }

    /// `helm install` refuses a key that the agent would end with, and none that it knows.
    @Test func `the chart's schema has the sections of the configuration and their keys`() throws {
        let text = try Repository.text(of: "samples/kubernetes/chart/values.schema.json")
        let schema = try JSONDocument.parse(Array(text.utf8))["properties"]?["config"]
        var configuration = Configuration()
        // What is not written is not in the document.
        configuration.redaction.parameters = true
        let sections = Self.members(of: configuration.document)
        #expect(sections.count > 10)
        #expect(Self.members(of: schema?["properties"]).map(\.key).sorted() == sections.map(\.key).sorted())
        for section in sections {
            let keys = Self.members(of: schema?["properties"]?[section.key]?["properties"]).map(\.key).sorted()
            #expect(keys == Self.members(of: section.value).map(\.key).sorted(), "\(section.key)")
        }
    }

    private static func members(of value: JSONValue?) -> [JSONObject.Member] {
        guard case .object(let object)? = value else { return [] }
        return object.members
    }

    @Test func `every key is documented`() throws {
        var configuration = Configuration()
        configuration.mirror.targets = [MirrorTarget(name: "staging", host: "staging.test", port: 80)]
        configuration.mirror.policies = [MirrorPolicy(name: "canary", targets: ["staging"])]
        let page = try Repository.text(of: "\(Self.folder)/Configuration.md")
        let guide = try Repository.text(of: "\(Self.folder)/Guides/ShadowTraffic.md")
        let keys = Self.keys(configuration.document)
        #expect(keys.count > 100)
        for key in keys {
            let last = key.split(separator: ".").last ?? ""
            let isDocumented =
                key.hasPrefix("mirror.")
                ? try guide.contains(Regex("\\b\(last)\\b").wordBoundaryKind(.simple)) : page.contains(".\(last)`")
            #expect(isDocumented, "\(key)")
        }
    }
}
