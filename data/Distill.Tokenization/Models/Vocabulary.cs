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
