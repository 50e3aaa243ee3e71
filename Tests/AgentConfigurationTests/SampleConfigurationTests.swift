// Wingmirror · Apache-2.0

import Foundation
import RouteAttribution
import Testing
import YAMLSyntax

@testable import AgentConfiguration

/// The configurations in `samples`: read as strictly as a user's, and naming what is there.
@Suite struct SampleConfigurationTests {
    @Test(arguments: ["wingmirror.yaml", "wingmirror-live.yaml", "wingmirror-mirror.yaml"])
    func `a sample configuration is read without a problem`(name: String) throws {
        let configuration = try Configuration.load(path: Self.samples.appending(path: name).path)
        #expect(configuration.gateway.ports == [GatewayPort(pod: 8080, server: 80)])
        for path in configuration.routes.files + configuration.capture.savefiles {
            let file = Self.samples.deletingLastPathComponent().appending(path: path)
            #expect(FileManager.default.fileExists(atPath: file.path), "\(path) does not exist")
        }
    }

    @Test func `the DaemonSet's configuration is read, and its paths are those of its volumes`() throws {
        let manifest = try Self.manifest()
        let text = try #require(manifest.configurations["wingmirror"]?["wingmirror.yaml"])
        let configuration = try Configuration.parse(text, file: "wingmirror.yaml")
        #expect(configuration.capture.interfaces == .named(["any"]))
        #expect(configuration.routes.files == ["/etc/wingmirror-routes"])
        #expect(manifest.mountPaths == ["/etc/wingmirror", "/etc/wingmirror-routes"])
    }

    @Test func `the DaemonSet's port is the one that its configuration serves`() throws {
        let manifest = try Self.manifest()
        let text = try #require(manifest.configurations["wingmirror"]?["wingmirror.yaml"])
        let configuration = try Configuration.parse(text, file: "wingmirror.yaml")
        #expect(manifest.ports == [Int(configuration.metrics.listen.port)])
    }

    @Test(arguments: ["base/wingmirror.yaml", "overlays/minimal/wingmirror.yaml", "overlays/mirror/wingmirror.yaml"])
    func `a configuration of the kustomizations is read, and follows the API server`(file: String) throws {
        let path = Self.samples.appending(path: "kubernetes/kustomize/\(file)")
        let text = try String(contentsOf: path, encoding: .utf8)
        let configuration = try Configuration.parse(text, file: "wingmirror.yaml")
        #expect(configuration.routes.kubernetes.isEnabled && configuration.findsGateways)
        #expect(configuration.routes.kubernetes.snapshot == "/var/lib/wingmirror/objects")
        #expect(configuration.metrics.listen.port == 9646)
    }

    private static let samples = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../samples").standardizedFileURL

    /// What the DaemonSet's manifest says of configuration, volumes and ports.
    private struct Manifest {
        var configurations: [String: [String: String]] = [:]
        var mountPaths: [String] = []
        var ports: [Int] = []
    }

    private static func manifest() throws -> Manifest {
        let text = try String(contentsOf: samples.appending(path: "kubernetes/daemonset.yaml"), encoding: .utf8)
        var manifest = Manifest()
        var reader = YAMLReader(text)
        while let node = try reader.next() {
            switch node["kind"]?.scalar?.text {
            case "ConfigMap":
                let data = node["data"]?.mapping?.compactMap { entry in
                    entry.key.scalar.flatMap { key in entry.value.scalar.map { (key.text, $0.text) } }
                }
                let name = node["metadata"]?["name"]?.scalar?.text ?? ""
                manifest.configurations[name] = Dictionary(uniqueKeysWithValues: data ?? [])
            case "DaemonSet":
                let container = node["spec"]?["template"]?["spec"]?["containers"]?.sequence?.first
                let mounts = container?["volumeMounts"]?.sequence ?? []
                manifest.mountPaths = mounts.compactMap { $0["mountPath"]?.scalar?.text }
                let ports = container?["ports"]?.sequence ?? []
                manifest.ports = ports.compactMap { $0["containerPort"]?.scalar.flatMap { Int($0.text) } }
            default:
                break
            }
        }
        return manifest
    }
}

extension YAMLNode {
    /// The value of a key.
    fileprivate subscript(key: String) -> YAMLNode? {
        mapping?.first { $0.key.scalar?.text == key }?.value
    }
}
