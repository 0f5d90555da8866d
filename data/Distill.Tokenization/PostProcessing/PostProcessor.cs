namespace Distill.Tokenization.PostProcessing;

/// <summary>What is put around the ids of a text.</summary>
/// <param name="Parts">Ids in order; null stands for the text.</param>
internal sealed record PostProcessor(IReadOnlyList<int?> Parts)
{
    public static PostProcessor None { get; } = new([null]);

    public int[] Apply(int[] ids) => [.. Parts.SelectMany(part => part is { } id ? [id] : ids)];

    /// <summary>This one first, then another around its result.</summary>
    public PostProcessor Then(PostProcessor outer) => new([.. outer.Parts.SelectMany(part => part is null ? Parts : [part])]);
}
