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
          - {name: wrapped, context: {cluster: wrapped, user: certificate}}
          - {name: stranger, context: {cluster: c, user: nowhere}}
          - {name: hollow, context: {cluster: c, user: hollow}}
          - {name: other, context: {cluster: c, user: other}}
          - {name: groups, context: {cluster: c, user: groups}}
          - {name: nothing, context: {cluster: c, user: nothing}}
          - {name: informed, context: {cluster: wrapped, user: informed}}
        clusters:
          - {name: c, cluster: {server: "https://192.0.2.1:6443/", certificate-authority: ca.pem}}
          - {name: unverified, cluster: {server: "https://192.0.2.1", insecure-skip-tls-verify: true}}
          - name: wrapped
            cluster:
              server: "https://192.0.2.1:6443"
              certificate-authority-data: |
                QVVUSE
                9SSVRZ
              extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x}}]
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
          - {name: hollow, user: {exec: {command: echo, args: ['{"status": {}}']}}}
          - {name: groups, user: {token: secret, as-groups: [admins]}}
          - {name: nothing, user: {token: secret, auth-provider: null, as: ""}}
          - name: other
            user:
              exec:
                command: echo
                args: ['{"apiVersion": "client.authentication.k8s.io/v1beta1", "status": {"token": "x"}}']
          - name: informed
            user:
              exec:
                provideClusterInfo: true
                command: sh
                args: [-c, 'printf "{\\"status\\":{\\"token\\":\\"%s\\"}}" "$(echo "$KUBERNETES_EXEC_INFO" | base64 -w0)"']
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
        ("absent", "it has beside, certificate, failing, groups, hollow"),
        ("number", "write it in quotes"), ("stranger", "names the user nowhere"),
        ("hollow", "gave no credentials"), ("other", "client.authentication.k8s.io/v1beta1"),
        ("groups", "as-groups, which is not handled"),
    ])
    func `what cannot be used is refused with the reason`(context: String, words: String) {
        let failure = #expect(throws: CommandFailure.self) { try access(context) }
        #expect(failure?.lines.first?.contains(words) == true)
    }

    @Test func `base64 that is wrapped into lines is read, and settings without a value are none`() throws {
        #expect(try access("wrapped").authority == Array("AUTHORITY".utf8))
        #expect(try access("nothing").token == "secret")
    }

    @Test func `a plugin that asks for it gets to know the cluster`() throws {
        let text = try #require(Data(base64Encoded: try access("informed").token))
        let cluster = try #require(try JSONDocument.parse([UInt8](text))["spec"]?["cluster"])
        #expect(cluster["server"] == "https://192.0.2.1:6443" && cluster["config"]?["audience"] == "x")
        #expect(cluster["certificate-authority-data"] == .string(Data("AUTHORITY".utf8).base64EncodedString()))
    }

    @Test func `a folder in place of a file is named as one`() {
        let failure = #expect(throws: CommandFailure.self) { try KubeConfig { $0 == "KUBECONFIG" ? folder.path : nil } }
        #expect(failure?.lines.first == "\(folder.path): is a folder; KUBECONFIG names files")
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

    @Test(arguments: [
        (403, "{}", "the API server refuses (403)"), (302, "", "a redirect (302)"),
        (404, "default backend - 404", "there is no API server"),
        (200, "<html><body>login</body></html>", "answers with a page, not JSON"),
    ])
    func `what is no API server, or refuses everything, is named after two answers`(
        status: Int,
        content: String,
        words: String
    ) async throws {
        let server = try await TestAPIServer { _ in .answer(status, content) }
        let failure = await #expect(throws: CommandFailure.self) {
            try await ClusterObjects.read(ClusterAccess(server: server.url), Configuration(), within: .seconds(1_200))
        }
        await server.close()
        #expect(failure?.lines.first?.contains(words) == true, "\(failure?.lines ?? [])")
    }

    @Test(arguments: ["http", "https"])
    func `a client certificate that cannot be read is not the server's, and of no account without TLS`(
        scheme: String
    ) async throws {
        let cluster = TestCluster(serving: ["networking.k8s.io"])
        let server = try await TestAPIServer { cluster.answer($0) }
        var unreadable = ClusterAccess(server: server.url.replacing("http:", with: "\(scheme):"))
        unreadable.clientCertificate = Array("no certificate".utf8)
        let access = unreadable
        guard scheme == "https" else {
            let objects = try await ClusterObjects.read(access, Configuration(), within: .seconds(1_200))
            await server.close()
            #expect(objects.lacksRouteKinds)
            return
        }
        let failure = await #expect(throws: CommandFailure.self) {
            try await ClusterObjects.read(access, Configuration(), within: .seconds(1_200))
        }
        await server.close()
        #expect(failure?.lines.first?.contains("the token or the certificates cannot be read") == true)
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
