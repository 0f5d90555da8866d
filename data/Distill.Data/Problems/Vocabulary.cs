namespace Distill.Data.Problems;

/// <summary>Words that all families share. Few on purpose: the tiny models learn every one of them from scratch.</summary>
internal static class Vocabulary
{
    public static IReadOnlyList<string> Names { get; } = ["anna", "ben", "cara", "dan", "eva", "finn", "tom", "zoe"];

    public static IReadOnlyList<string> Objects { get; } = ["apples", "books", "coins", "eggs", "marbles", "stamps"];
}
