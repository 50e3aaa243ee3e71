// Wingmirror · Apache-2.0

import RouteAttribution
import TestSupport
import Testing

@testable import Agent
@testable import AgentConfiguration

@Suite struct RouteObjectsTests {
    private func objects(in files: [String]) throws -> RouteObjects {
        var configuration = Configuration()
        configuration.routes.files = files
        return try RouteObjects(configuration, namesServerPorts: false)
    }

    @Test func `a folder without route objects is named`() throws {
        let folder = try TemporaryFolder()
        try folder.write("kind: [", to: "notes.txt")
        let emptiness = try objects(in: [folder.path]).emptiness
        #expect(emptiness == "\(folder.path): there are no route objects, so no request has a route")
    }

    @Test func `labels of the gateway that are empty are called none`() throws {
        let text = "gateway: {labels: {}}\nroutes: {files: [\"\(Repository.path)/samples/istio\"]}"
        let configuration = try Configuration.parse(text, file: "w.yaml")
        let emptiness = try RouteObjects(configuration, namesServerPorts: false).emptiness
        #expect(emptiness?.contains("no Gateway selects pods with no labels in istio-system, so nothing") == true)
    }

    @Test func `objects that make no route are counted`() throws {
        let folder = try TemporaryFolder()
        let service = "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\n"
        let file = try folder.write(service, to: "a.yaml")
        let one = try objects(in: [file]).emptiness
        #expect(one?.hasPrefix("\(file): the object there makes no route") == true)
        let other = try folder.write(service.replacing("name: a", with: "name: c"), to: "b.yaml")
        let two = try objects(in: [file, other]).emptiness
        #expect(two?.contains("the 2 objects there make no route") == true)
    }

    @Test func `nothing is said of an emptiness that was asked for, nor of a table with routes`() throws {
        #expect(try objects(in: []).emptiness == nil)
        #expect(try objects(in: ["\(Repository.path)/samples/istio"]).emptiness == nil)
    }

    @Test(arguments: [
        (false, "no route objects are named; name files or folders, or take those of your kubeconfig's cluster"),
        (true, "routes.kubernetes is for `run`; this command takes routes from files"),
    ])
    func `a person who names no objects is told what the command takes, not what run would`(
        isOfRun: Bool,
        sentence: String
    ) {
        var configuration = Configuration()
        configuration.routes.kubernetes.isEnabled = isOfRun
        let failure = #expect(throws: CommandFailure.self) {
            try RouteObjects(configuration, namesServerPorts: false, for: .person)
        }
        #expect(failure?.lines.first?.hasPrefix(sentence) == true)
        #expect(failure?.lines.first?.hasSuffix("with --kubernetes") == true)
    }

    @Test(arguments: [
        ("8080:80", nil), ("8080:80,8443:443", nil),
        ("8080", "no Gateway server has port 8080 (there is 80); write --gateway-port 8080:80"),
        ("8080:81", "no Gateway server has port 81 (there is 80); write --gateway-port 8080:80"),
        (
            "80:28480",
            "the gateway port 80:28480 is swapped, as a Gateway server has port 80: write --gateway-port 28480:80"
        ),
    ])
    func `a port that leads to no Gateway server is named with what to write`(ports: String, sentence: String?) throws {
        var configuration = Configuration()
        configuration.routes.files = ["\(Repository.path)/samples/istio"]
        configuration.gateway.ports = try ports.split(separator: ",").map {
            try #require(GatewayPort(argument: String($0)))
        }
        let mistakes = try RouteObjects(configuration, namesServerPorts: false).portMistakes
        #expect(mistakes.count == (sentence == nil ? 0 : 1))
        if let sentence { #expect(mistakes.first?.hasPrefix(sentence) == true) }
        // Commands that take the ports of servers have no use for those of pods.
        #expect(try RouteObjects(configuration, namesServerPorts: true).portMistakes.isEmpty)
    }

    @Test(arguments: [
        ([], 8080, nil), ([80, 443], 8080, "(there are 80, 443); write --gateway-port 8080:SERVER"),
        ([8080], 80, "no Gateway server has port 80 (there is 8080); write --gateway-port 80:8080"),
    ])
    func `of several servers none is guessed, and without any nothing is said`(
        servers: [Int],
        pod: UInt16,
        sentence: String?
    ) {
        var gateway = GatewayConfiguration()
        gateway.ports = [GatewayPort(pod: pod, server: pod)]
        let sentences = PortMistakes(gateway, servers: servers).sentences
        #expect(sentences.count == (sentence == nil ? 0 : 1))
        if let sentence { #expect(sentences.first?.contains(sentence) == true) }
        #expect(PortMistakes(GatewayConfiguration(), servers: [443]).sentences.isEmpty, "nobody named a port")
    }

    @Test func `a person hears that a cluster has no routes, where an agent's node may have no gateway`() throws {
        var cluster = ClusterObjects()
        func emptiness(_ reader: RouteObjects.Reader) throws -> String? {
            try RouteObjects(Configuration(), namesServerPorts: false, for: reader, cluster: cluster).emptiness
        }
        #expect(try emptiness(.agent) == nil)
        #expect(try emptiness(.person) == "the API server: there are no route objects, so no request has a route")
        cluster.lacksRouteKinds = true
        #expect(try emptiness(.person)?.hasPrefix("the API server: the cluster serves no route kinds") == true)
    }

    @Test func `that no request has a route is said, unless there are routes or a cluster may bring them`() throws {
        let folder = try TemporaryFolder()
        #expect(try objects(in: [folder.path]).absence?.hasPrefix("\(folder.path): there are no route objects") == true)
        #expect(try objects(in: []).absence == RouteObjects.unnamed)
        #expect(try objects(in: ["\(Repository.path)/samples/istio"]).absence == nil)
        var configuration = Configuration()
        configuration.routes.kubernetes.isEnabled = true
        #expect(try RouteObjects(configuration, namesServerPorts: false).absence == nil)
    }
}
