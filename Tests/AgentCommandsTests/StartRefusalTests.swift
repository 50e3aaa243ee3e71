// Wingmirror · Apache-2.0

import Foundation
import JSONSyntax
import TestServers
import TestSupport
import Testing

@testable import Agent
@testable import AgentCommands
@testable import AgentConfiguration

/// What `check` says of a configuration that `run` would refuse.
@Suite(.timeLimit(.minutes(20)))
struct StartRefusalTests {
    private let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func configuration(_ text: String) throws -> Configuration {
        let routes = "routes: {files: [\(Repository.path)/samples/istio]}\n"
        return try Configuration.load(path: folder.write(text.contains("routes:") ? text : routes + text, to: "w.yaml"))
    }

    private func warnings(_ text: String, isFile: Bool = false) async throws -> [String] {
        let check = try await ConfigurationCheck(configuration(text), isFile: isFile)
        #expect(check.errors.isEmpty)
        return (check.document["warnings"]?.arrayValue ?? []).compactMap(\.stringValue)
    }

    private func mirror(_ authorities: String) -> String {
        """
        mirror:
          enabled: true
          targets: {next: {url: "https://127.0.0.1:8443", certificateAuthorities: "\(authorities)"}}
          policies: [{name: all, target: next, percent: 1}]

        """
    }

    // MARK: - Ports and routes

    @Test func `ports that lead to no Gateway server are warned of`() async throws {
        let swapped = try await warnings("gateway: {ports: [{pod: 80, server: 28480}]}\n")
        #expect(swapped.contains { $0.contains("is swapped") })
        #expect(try await warnings("gateway: {ports: [{pod: 28480, server: 80}]}\n").isEmpty)
    }

    @Test func `a configuration that names no route objects is not called ok`() async throws {
        let lines = try await ConfigurationCheck(configuration("routes: {files: []}\n")).lines(.plain)
        #expect(lines.first?.hasPrefix("no routes  0 routes from 0 objects") == true)
        #expect(try await ConfigurationCheck(configuration("")).lines(.plain).first?.hasPrefix("ok  ") == true)
    }

    // MARK: - Certificate authorities of targets

    @Test func `a file without certificates is refused by check, at start and at a reload, with its key`() async throws
    {
        let file = try folder.write("not a certificate", to: "ca.pem")
        let sentence = "mirror.targets.next.certificateAuthorities: \(file): no certificates in PEM form are in it"
        let configuration = try configuration(mirror(file))
        #expect(try await ConfigurationCheck(configuration).errors == [sentence])
        let failure = #expect(throws: CommandFailure.self) { try configuration.mirror.refuseUnusableAuthorities() }
        #expect(failure?.lines == [sentence])
    }

    @Test func `a file of authorities that is missing is refused at start, and warned of by check`() async throws {
        let sentence = "mirror.targets.next.certificateAuthorities: /nowhere/ca.pem: no such file or folder"
        let configuration = try configuration(mirror("/nowhere/ca.pem"))
        #expect(try await warnings(mirror("/nowhere/ca.pem")).contains(sentence + " (on this machine)"))
        let failure = #expect(throws: CommandFailure.self) { try configuration.mirror.refuseUnusableAuthorities() }
        #expect(failure?.lines == [sentence])
    }

    @Test(.enabled(if: TestCertificate.canBeMade))
    func `a file with an authority is taken`() throws {
        let certificate = try TestCertificate(for: "next.test")
        defer { certificate.remove() }
        let configuration = try configuration(mirror(certificate.authority))
        #expect(configuration.mirror.authorityProblems.isEmpty)
    }

    @Test func `authorities of a target that no policy names are not read`() throws {
        let text = mirror("/nowhere/ca.pem").replacing("enabled: true", with: "enabled: false")
        try configuration(text).mirror.refuseUnusableAuthorities()
    }

    // MARK: - What is elsewhere

    @Test(arguments: [
        ("capture: {savefiles: [/nowhere/a.pcap]}\n", "capture.savefiles: /nowhere/a.pcap: no such file or folder"),
        ("records: {file: /nowhere/r.ndjson}\n", "records.file: /nowhere/r.ndjson: there is no folder /nowhere"),
        ("capture: {interfaces: [any], user: nosuchuser}\n", "capture.user: there is no user nosuchuser"),
        (
            "admin: {tls: {certificate: /nowhere/c.pem, key: /nowhere/k.pem}}\n",
            "admin.tls.certificate: /nowhere/c.pem: no such file or folder"
        ),
    ])
    func `what is missing on this machine is a warning`(text: String, warning: String) async throws {
        #expect(try await warnings(text).contains(warning + " (on this machine)"))
    }

    @Test func `a key log that is missing is warned of beside pcap files, and awaited beside interfaces`() async throws
    {
        let file = try folder.write("", to: "a.pcap")
        let keys = "tls: {keyLog: /nowhere/k.log}\n"
        let warning = "tls.keyLog: /nowhere/k.log: no such file or folder (on this machine)"
        #expect(try await warnings("capture: {savefiles: [\"\(file)\"]}\n" + keys).contains(warning))
        #expect(try await !warnings("capture: {interfaces: [any]}\n" + keys).contains(warning))
    }

    @Test func `a certificate that is there and none is refused`() async throws {
        let file = try folder.write("not a certificate", to: "c.pem")
        let text = "admin: {tls: {certificate: \"\(file)\", key: \"\(file)\"}}\n"
        #expect(try await ConfigurationCheck(configuration(text)).errors.count == 1)
    }

    @Test func `a configuration file without a source is warned of, since run may be given one`() async throws {
        let warning = "capture: no source is named: run needs capture.interfaces, --interface or pcap files"
        #expect(try await warnings("", isFile: true).contains(warning))
        #expect(try await !warnings("", isFile: false).contains(warning))
        #expect(try await !warnings("capture: {interfaces: auto}\n", isFile: true).contains(warning))
    }

    // MARK: - What contradicts itself

    @Test(arguments: [
        ("127.0.0.1:9646", "127.0.0.1:9646", true), ("0.0.0.0:9646", "127.0.0.1:9646", true),
        ("127.0.0.1:9646", "127.0.0.2:9646", false), ("127.0.0.1:9646", "127.0.0.1:9647", false),
        ("127.0.0.1:0", "127.0.0.1:0", false),
    ])
    func `two listeners in one place are refused`(metrics: String, admin: String, isRefused: Bool) async throws {
        let text = "metrics: {listen: \"\(metrics)\"}\nadmin: {listen: \"\(admin)\"}\n"
        let errors = try await ConfigurationCheck(configuration(text)).errors
        #expect(errors.isEmpty != isRefused)
        #expect(errors.allSatisfy { $0.hasPrefix("admin.listen: \(admin) is taken by metrics.listen (\(metrics))") })
    }
}
