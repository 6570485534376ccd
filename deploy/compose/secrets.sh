#!/usr/bin/env bash
# Makes the gossip key, a CA, and a certificate for the servers and one for the clients, and puts them into two volumes that the compose
# file mounts. Nothing secret stays on this machine's disk outside of them; the CA's key is thrown away. Run again to replace all of them.
# Needs openssl and the image. Usage: secrets.sh
set -euo pipefail
cd "$(dirname "$0")"
project=${COMPOSE_PROJECT_NAME:-$(sed -n 's/^COMPOSE_PROJECT_NAME=//p' .env)}
image=${LICTOR_IMAGE:-lictor:dev}
datacenter=${LICTOR_DATACENTER:-dc1}
days=365
umask 077
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

printf '{"encrypt": "%s"}\n' "$(openssl rand -base64 32)" >"$folder/gossip.json"
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1"; }
key "$folder/ca-key.pem"
openssl req -x509 -new -key "$folder/ca-key.pem" -sha256 -days "$days" -subj "/CN=Lictor agents of $project" \
  -addext 'basicConstraints=critical,CA:TRUE,pathlen:0' -addext 'keyUsage=critical,keyCertSign,cRLSign' -out "$folder/ca.pem"

# certificate ROLE NAME: a certificate that both greets and answers. verify_server_hostname tells servers by server.DATACENTER.consul.
certificate() {
  local role=$1 name=$2
  key "$folder/$role-key.pem"
  openssl req -new -key "$folder/$role-key.pem" -subj "/CN=$name" -out "$folder/$role.csr"
  openssl x509 -req -in "$folder/$role.csr" -CA "$folder/ca.pem" -CAkey "$folder/ca-key.pem" -CAcreateserial -sha256 -days "$days" \
    -extfile <(printf '%s\n' "subjectAltName=DNS:$name,DNS:localhost,IP:127.0.0.1" 'basicConstraints=critical,CA:FALSE' \
      'keyUsage=critical,digitalSignature' 'extendedKeyUsage=serverAuth,clientAuth') -out "$folder/$role.pem" 2>/dev/null
}
certificate server "server.$datacenter.consul"
certificate client "client.$datacenter.consul"

for role in server client; do
  mkdir "$folder/$role"
  cp "$folder"/{ca.pem,gossip.json} "$folder/$role/"
  cp "$folder/$role.pem" "$folder/$role/cert.pem"
  cp "$folder/$role-key.pem" "$folder/$role/key.pem"
  # As root inside of a container: the volume's owner is to be the image's user.
  tar -C "$folder/$role" -c . | docker run --rm -i --user 0 --network none --entrypoint sh -v "$project-$role-secrets:/secrets" "$image" \
    -c 'tar -C /secrets -x && chown -R 8500:8500 /secrets && chmod 0500 /secrets && chmod 0400 /secrets/*'
done
echo "secrets are in the volumes $project-server-secrets and $project-client-secrets"
