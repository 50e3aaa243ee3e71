// Wingmirror · Apache-2.0

import AdminServer
import FoundationEssentials
import Glibc
import Logging
import RouteAttribution
import TestSupport
import Testing
import TrafficMetrics

@testable import Agent
@testable import AgentConfiguration

/// The folder is laid out as the kubelet mounts a ConfigMap: `routes.yaml` leads through `..data` to a folder of its own.
@Suite(.timeLimit(.minutes(20)))
struct RouteFileWatchTests {
    private let folder: TemporaryFolder
    private let routes: RouteKeeper
    private let keeper: ConfigurationKeeper

    init() throws {
        folder = try TemporaryFolder()
        try folder.mount("first", Self.manifest("one"))
        try FileManager.default.createSymbolicLink(
            atPath: "\(folder.path)/routes.yaml",
            withDestinationPath: "..data/routes.yaml"
        )
        var configuration = Configuration()
        configuration.capture.savefiles = ["a.pcap"]
        configuration.routes.files = [folder.path]
        let plan = RunPlan(configuration: configuration, endsAfterSavefiles: false) {
            [configuration] () throws(ConfigurationProblems) in configuration
        }
        let rig = KeeperRig(plan)
        (routes, keeper) = (rig.routes, rig.configuration)
        try keeper.loadFirstRoutes()
    }

    private static func manifest(_ name: String) -> String { OneGateway.manifest(with: name) }

    /// The names of the VirtualServices in force.
    private var names: [String] { routes.tables.routes.map(\.identity.object.name) }

    private func watch() -> RouteFileWatch { RouteFileWatch(configuration: keeper, routes: routes) }

    @Test func `nothing is read again while nothing changes`() {
        var watch = watch()
        for _ in 0..<3 { #expect(watch.look() == nil) }
        #expect(keeper.current.routeReloads.accepted == 0)
        #expect(names == ["one"])
    }

    @Test func `a swapped ConfigMap is taken up at the second look that finds it`() throws {
        var watch = watch()
        try folder.mount("second", Self.manifest("two"))
        #expect(watch.look() == nil)
        #expect(names == ["one"])
        #expect(watch.look() == .reloaded([]))
        #expect(names == ["two"])
        #expect(keeper.current.routeReloads.accepted == 1)
        #expect(watch.look() == nil)
    }

    @Test func `a change between reading the files and the first look is found`() throws {
        try folder.mount("second", Self.manifest("two"))
        var watch = watch()
        watch.look()
        #expect(watch.look() == .reloaded([]))
        #expect(names == ["two"])
    }

    @Test func `files that change from look to look wait until they rest`() throws {
        var watch = watch()
        for name in ["second", "third", "fourth"] {
            try folder.mount(name, Self.manifest(name))
            #expect(watch.look() == nil)
        }
        #expect(watch.look() == .reloaded([]))
        #expect(names == ["fourth"])
        #expect(keeper.current.routeReloads.accepted == 1)
    }

    @Test(arguments: ["a file that is added", "a file that is removed"])
    func `the files of a folder count`(change: String) throws {
        var watch = watch()
        if change == "a file that is added" {
            try folder.write(Self.manifest("more"), to: "more.yaml")
        } else {
            try FileManager.default.removeItem(atPath: "\(folder.path)/routes.yaml")
        }
        watch.look()
        #expect(watch.look() == .reloaded([]))
        #expect(Set(names) == (change == "a file that is added" ? ["one", "more"] : []))
    }

    @Test func `what cannot be read leaves the last table, is tried once, and is repaired by what can`() throws {
        var watch = watch()
        try folder.mount("bad", "kind: [")
        watch.look()
        guard case .rejected(let lines) = watch.look() else {
            Issue.record("a bad file was accepted")
            return
        }
        #expect(lines.contains { $0.contains("routes.yaml") })
        for _ in 0..<3 { #expect(watch.look() == nil) }
        #expect(names == ["one"])
        #expect(keeper.current.routeReloads.rejected == 1)
        #expect(!keeper.current.routeReloads.isLatestGood)
        try folder.point(to: "first")
        watch.look()
        #expect(watch.look() == .reloaded([]))
        #expect(keeper.current.routeReloads.isLatestGood)
        #expect(keeper.current.reloads == ConfigurationKeeper.Reloads())
    }

    @Test func `a folder that is gone leaves the last table until it is back`() throws {
        var watch = watch()
        try FileManager.default.moveItem(atPath: folder.path, toPath: folder.path + "-away")
        watch.look()
        guard case .rejected = watch.look() else {
            Issue.record("a missing folder was accepted")
            return
        }
        #expect(names == ["one"])
        try FileManager.default.moveItem(atPath: folder.path + "-away", toPath: folder.path)
        watch.look()
        #expect(watch.look() == .reloaded([]))
    }

    @Test func `what a reload by hand has read is not read once more`() throws {
        var watch = watch()
        try folder.mount("second", Self.manifest("two"))
        watch.look()
        #expect(keeper.reload() == .reloaded([]))
        #expect(watch.look() == nil)
        #expect(keeper.current.reloads.accepted == 1)
        #expect(keeper.current.routeReloads.accepted == 0)
    }
}

extension TemporaryFolder {
    /// Writes a generation of a mounted ConfigMap, and makes it the one that counts.
    fileprivate func mount(_ name: String, _ manifest: String) throws {
        try FileManager.default.createDirectory(atPath: "\(path)/..\(name)", withIntermediateDirectories: false)
        try write(manifest, to: "..\(name)/routes.yaml")
        try point(to: name)
    }

    /// Sets the `..data` link in one step, as the kubelet does: a new link is renamed over the old.
    fileprivate func point(to name: String) throws {
        let manager = FileManager.default
        try manager.createSymbolicLink(atPath: "\(path)/..data_tmp", withDestinationPath: "..\(name)")
        try #require(unsafe rename("\(path)/..data_tmp", "\(path)/..data") == 0)
    }
}
