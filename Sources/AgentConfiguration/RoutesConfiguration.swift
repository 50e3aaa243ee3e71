// Wingmirror · Apache-2.0

/// Where route objects come from.
package struct RoutesConfiguration: Sendable, Equatable {
    /// Files and folders of Gateway, VirtualService and other objects.
    package var files: [String] = []
    /// The namespace of objects whose file names none.
    package var namespace = "default"
    /// The API server as a source of objects.
    package var kubernetes = KubernetesConfiguration()
}

extension RoutesConfiguration {
    /// Reads the section `routes`.
    init(_ section: ConfigurationSection) {
        self.init()
        section.read("files", into: &files, as: .list(of: .nonEmptyText("a path")))
        section.read("namespace", into: &namespace, as: .nonEmptyText("a namespace"))
        section.section("kubernetes") { kubernetes = KubernetesConfiguration($0) }
    }
}
