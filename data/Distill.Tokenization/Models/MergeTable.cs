namespace Distill.Tokenization.Models;

/// <summary>Which pairs of tokens merge, in what order of preference, and into what. Immutable.</summary>
internal sealed class MergeTable
{
    private readonly Dictionary<long, Merge> _merges;

    /// <exception cref="InvalidDataException">A merge names a token that the vocabulary lacks.</exception>
    public MergeTable(Vocabulary vocabulary, IReadOnlyList<(string Left, string Right)> pairs)
    {
        Pairs = pairs;
        _merges = new Dictionary<long, Merge>(pairs.Count);
        for (int rank = 0; rank < pairs.Count; rank++)
        {
            var (left, right) = pairs[rank];
            long key = Key(IdOf(vocabulary, left, rank), IdOf(vocabulary, right, rank));
            // As in the reference, a pair listed twice counts where it stands last.
            _merges[key] = new Merge(rank, IdOf(vocabulary, left + right, rank));
        }
    }

    public IReadOnlyList<(string Left, string Right)> Pairs { get; }

    public bool TryGet(int left, int right, out Merge merge) => _merges.TryGetValue(Key(left, right), out merge);

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    private static int IdOf(Vocabulary vocabulary, string piece, int rank) => vocabulary.TryIdOf(piece, out int id)
        ? id
        : throw new InvalidDataException($"merge {rank} needs token '{piece}', which is not in the vocabulary");
}
