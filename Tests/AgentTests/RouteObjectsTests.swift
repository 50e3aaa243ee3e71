// Wingmirror · Apache-2.0

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
