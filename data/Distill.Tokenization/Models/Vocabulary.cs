namespace Distill.Tokenization.Models;

/// <summary>Token texts and their ids, both ways. Ids need not be dense. Immutable.</summary>
internal sealed class Vocabulary
{
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _bySpan;
    private readonly string?[] _pieces;

    /// <exception cref="InvalidDataException">Two texts share an id.</exception>
    public Vocabulary(Dictionary<string, int> ids)
    {
        _ids = ids;
        _bySpan = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _pieces = new string?[ids.Count == 0 ? 0 : ids.Values.Max() + 1];
        foreach (var (piece, id) in ids)
        {
            if (_pieces[id] is { } other)
                throw new InvalidDataException($"tokens '{other}' and '{piece}' share id {id}; give each its own");
            _pieces[id] = piece;
        }
    }

    /// <summary>Largest id + 1.</summary>
    public int Size => _pieces.Length;

    public IEnumerable<(int Id, string Piece)> ById() =>
        _pieces.Select((piece, id) => (id, piece)).Where(p => p.piece is not null).Select(p => (p.id, p.piece!));

    public bool TryIdOf(string piece, out int id) => _ids.TryGetValue(piece, out id);

    public bool TryIdOf(ReadOnlySpan<char> piece, out int id) => _bySpan.TryGetValue(piece, out id);

    public string? PieceOf(int id) => (uint)id < (uint)_pieces.Length ? _pieces[id] : null;
}

/// <summary>A merge: lower ranks go first; <paramref name="Id"/> is the token it makes.</summary>
internal readonly record struct Merge(int Rank, int Id);

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
