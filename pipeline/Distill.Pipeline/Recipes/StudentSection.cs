using Distill.Student.Pruning;

namespace Distill.Pipeline.Recipes;

/// <summary><c>student</c>: the model that is changed, and what it is cut to before it learns.</summary>
public sealed record StudentSection
{
    /// <summary>Folder of a checkpoint (<c>config.json</c>, safetensors, tokenizer), relative to the recipe. Required.</summary>
    public required string Base { get; init; }

    /// <summary>Layers the student keeps of the base, those that change most on the traces. 1..1,024, default all.</summary>
    public int? Layers { get; init; }

    /// <summary>Feed-forward channels it keeps in every layer. 1..1,048,576, default all.</summary>
    public int? Intermediate { get; init; }

    /// <summary>Key-value heads it keeps in every layer, each with all its query heads. 1..1,024, default all.</summary>
    public int? KeyValueHeads { get; init; }

    internal static StudentSection Bind(SectionReader reader)
    {
        var section = new StudentSection
        {
            Base = reader.Folder("base", "give the folder of a checkpoint", "config.json", "tokenizer.json"),
            Layers = reader.Optional("layers", (r, key) => r.Integer(key, 1, 1, 1024)),
            Intermediate = reader.Optional("intermediate", (r, key) => r.Integer(key, 1, 1, 1 << 20)),
            KeyValueHeads = reader.Optional("key_value_heads", (r, key) => r.Integer(key, 1, 1, 1024)),
        };
        reader.Close();
        return section;
    }

    /// <returns>Null when the base stays as it is.</returns>
    internal PruningOptions? ToPruning() =>
        Layers is null && Intermediate is null && KeyValueHeads is null ? null : new PruningOptions(Layers, Intermediate, KeyValueHeads);
}
