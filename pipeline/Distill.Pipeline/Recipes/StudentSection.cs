namespace Distill.Pipeline.Recipes;

/// <summary><c>student</c>: the model that is changed.</summary>
public sealed record StudentSection
{
    /// <summary>Folder of a checkpoint (<c>config.json</c>, safetensors, tokenizer), relative to the recipe. Required.</summary>
    public required string Base { get; init; }

    internal static StudentSection Bind(SectionReader reader)
    {
        var section = new StudentSection { Base = reader.Folder("base", "give the folder of a checkpoint", "config.json", "tokenizer.json") };
        reader.Close();
        return section;
    }
}
