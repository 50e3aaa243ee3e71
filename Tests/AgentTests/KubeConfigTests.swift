// Wingmirror · Apache-2.0

import Foundation
import JSONSyntax
import KubernetesObjects
import TestServers
import TestSupport
import Testing

@testable import Agent
@testable import AgentConfiguration

/// The way of a person to a cluster.
@Suite(.timeLimit(.minutes(20)))
struct KubeConfigTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private static let config = """
        apiVersion: v1
        kind: Config
        current-context: staging
        contexts:
          - {name: staging, context: {cluster: c, user: token}}
          - {name: certificate, context: {cluster: c, user: certificate}}
          - {name: plugin, context: {cluster: c, user: plugin}}
          - {name: failing, context: {cluster: c, user: failing}}
          - {name: unverified, context: {cluster: unverified, user: token}}
          - {name: beside, context: {cluster: c, user: beside}}
          - {name: number, context: {cluster: c, user: number}}
        clusters:
          - {name: c, cluster: {server: "https://192.0.2.1:6443/", certificate-authority: ca.pem}}
          - {name: unverified, cluster: {server: "https://192.0.2.1", insecure-skip-tls-verify: true}}
        users:
          - {name: token, user: {token: secret}}
          - {name: certificate, user: {client-certificate-data: Q0VSVA==, client-key: key.pem}}
          - name: plugin
            user:
              exec:
                apiVersion: client.authentication.k8s.io/v1
                command: sh
                args: [-c, 'printf "{\\"status\\":{\\"token\\":\\"$WORD-%s\\"}}" "$(echo "$KUBERNETES_EXEC_INFO" | grep -c ExecCredential)"']
                env: [{name: WORD, value: made}]
          - {name: failing, user: {exec: {command: "false", installHint: install it}}}
          - {name: beside, user: {exec: {command: ./plugin}}}
          - {name: number, user: {token: 20261130}}
        """

    private func access(_ context: String?) throws -> ClusterAccess {
        let path = try folder.write(Self.config, to: "config")
        try folder.write("AUTHORITY", to: "ca.pem")
        try folder.write("KEY", to: "key.pem")
        return try KubeConfig { $0 == "KUBECONFIG" ? path : nil }.access(context: context)
    }

    @Test func `the current context gives server, authority and token`() throws {
        let access = try access(nil)
        #expect(access.server == "https://192.0.2.1:6443" && access.token == "secret")
        #expect(access.authority == Array("AUTHORITY".utf8))
    }

    @Test func `client certificates are read from data and from files beside the config`() throws {
        let access = try access("certificate")
        #expect(access.clientCertificate == Array("CERT".utf8) && access.clientKey == Array("KEY".utf8))
    }

    @Test func `an exec plugin is run with what it needs to know, and gives a token`() throws {
        #expect(try access("plugin").token == "made-1")
    }

    @Test func `an exec plugin named by a relative path is one beside the config`() throws {
        let plugin = try folder.write("#!/bin/sh\necho '{\"status\":{\"token\":\"near\"}}'\n", to: "plugin")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: plugin)
        #expect(try access("beside").token == "near")
    }

    @Test(arguments: [
        ("failing", "install it"), ("unverified", "not handled"),
        ("absent", "it has beside, certificate, failing, number, plugin"),
        ("number", "write it in quotes"),
    ])
    func `what cannot be used is refused with the reason`(context: String, words: String) {
        let failure = #expect(throws: CommandFailure.self) { try access(context) }
        #expect(failure?.lines.first?.contains(words) == true)
    }

    @Test func `of two files the first entry of a name counts, and no file at all is told`() throws {
        let first = try folder.write("current-context: x\ncontexts: [{name: x, context: {cluster: c}}]", to: "first")
        let second = try folder.write(Self.config, to: "second")
        try folder.write("AUTHORITY", to: "ca.pem")
        let access = try KubeConfig { $0 == "KUBECONFIG" ? "\(first):\(second)" : nil }.access(context: nil)
        #expect(access.server == "https://192.0.2.1:6443" && access.token.isEmpty)
        #expect(throws: CommandFailure.self) { try KubeConfig { $0 == "KUBECONFIG" ? "/nowhere" : nil } }
    }

    @Test func `the objects of a cluster are read once, and a refused kind is named`() async throws {
        let cluster = TestCluster()
        cluster.apply(["apiVersion": "v1", "kind": "Namespace", "metadata": ["name": "shop"]])
        let server = try await TestAPIServer { request in
            request.path.hasSuffix("/gateways") ? .answer(403, "{}") : cluster.answer(request)
        }
        let access = ClusterAccess(server: server.url)
        let objects = try await ClusterObjects.read(access, Configuration(), within: .seconds(1_200))
        await server.close()
        #expect(objects.manifests.map { $0["kind"]?.stringValue } == ["Namespace"])
        #expect(objects.refusedKinds == ["Gateway", "Gateway"])
    }

    @Test func `a server that refuses the credentials is a failure that says so`() async throws {
        let server = try await TestAPIServer { _ in .answer(401, "{}") }
        let failure = await #expect(throws: CommandFailure.self) {
            try await ClusterObjects.read(ClusterAccess(server: server.url), Configuration(), within: .seconds(1_200))
        }
        await server.close()
        #expect(failure?.lines.first?.contains("401") == true)
    }
}
