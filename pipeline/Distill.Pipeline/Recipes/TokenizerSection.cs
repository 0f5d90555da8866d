namespace Distill.Pipeline.Recipes;

/// <summary><c>tokenizer</c>: trained on the data of the recipe, or taken from another model.</summary>
public sealed record TokenizerSection
{
    /// <summary>Entries of a byte-level BPE, special tokens included. 270..1,000,000, default 640.</summary>
    public int VocabularySize { get; init; }

    /// <summary>Folder with a <c>tokenizer.json</c> to use instead; null trains one.</summary>
    public string? From { get; init; }

    internal static TokenizerSection Bind(SectionReader reader)
    {
        bool taken = reader.Has("from");
        reader.Require(!(taken && reader.Has("vocabulary_size")), "vocabulary_size", "has no meaning beside tokenizer.from", "remove one of the two");
        var section = new TokenizerSection
        {
            VocabularySize = reader.Integer("vocabulary_size", 640, 270, 1_000_000),
            From = taken ? reader.Folder("from", "give a folder with a tokenizer", "tokenizer.json") : null,
        };
        reader.Close();
        return section;
    }
}
