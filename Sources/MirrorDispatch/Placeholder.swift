// Wingmirror · Apache-2.0
